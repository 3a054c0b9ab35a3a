"""Nothing outlives the worker: the kernel kills a process when its parent ends.

The forkserver imports this module first. From then on it dies with the worker, and each process that it forks dies with
it, also one that hangs in C code with the GIL held. Without this a child would go on writing beside its successor: it
holds a copy of the pipe by which the forkserver would notice that the worker is gone.

Source: prctl(2), PR_SET_PDEATHSIG. It is cleared by fork, kept by exec, and follows the *thread* that forked.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1

_forking_pid = 0


def die_with_parent(parent_pid: int | None = None) -> None:
    """Has the kernel send SIGKILL when the parent ends; ends at once if ``parent_pid`` is not the parent any more.

    Does nothing outside Linux, where a task ends when its control pipe does.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl(PR_SET_PDEATHSIG): {os.strerror(number)}")
    if parent_pid is not None and os.getppid() != parent_pid:
        os._exit(1)


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
