"""The kernel kills a process when its parent ends, however that ends.

Source: prctl(2), PR_SET_PDEATHSIG. It is cleared by fork, kept by exec, and follows the *thread* that forked.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent(parent_pid: int | None = None) -> None:
    """Has the kernel send SIGKILL when the parent ends; ends at once if ``parent_pid`` is not the parent any more.

    Does nothing outside Linux: there a child has to notice by other means.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"prctl(PR_SET_PDEATHSIG): {os.strerror(number)}")
    if parent_pid is not None and os.getppid() != parent_pid:
        os._exit(1)
