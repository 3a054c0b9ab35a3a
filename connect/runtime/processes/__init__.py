"""Processes of ours: the forkserver that tasks and probes are forked from, and the rule that nothing outlives the worker."""
