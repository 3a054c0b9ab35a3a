"""Nothing outlives the worker: the kernel kills a process when its parent ends.

The forkserver imports this module before all else, and nobody else does: importing it is its effect. From then on it dies
with the worker, and each process that it forks dies with it, also one that hangs in C code with the GIL held. Without this a
child would go on writing beside its successor: it holds a copy of the pipe by which the forkserver would notice that the
worker is gone.
"""

from __future__ import annotations

import os
import signal

from connect.service.death_signal import die_with_parent

_forking_pid = 0


def _remember() -> None:
    global _forking_pid  # noqa: PLW0603 - what a fork leaves to its child
    _forking_pid = os.getpid()


def _guard_child(server_pid: int) -> None:
    # Only the forkserver's own children: a plugin may fork from a thread, whose end is not its process's end.
    if _forking_pid == server_pid:
        die_with_parent(server_pid)


def guard_forkserver() -> None:
    """Makes this process, a forkserver, and all that it forks end with its parent; the worker alone decides when."""
    die_with_parent()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # sent to the whole group, it would take the tasks along unasked
    server_pid = os.getpid()
    os.register_at_fork(before=_remember, after_in_child=lambda: _guard_child(server_pid))


guard_forkserver()
