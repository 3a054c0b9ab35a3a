"""Imported by the forkserver before all else, and by nobody else: importing it is its effect."""

from connect.runtime.processes.death_signal import guard_forkserver

guard_forkserver()
