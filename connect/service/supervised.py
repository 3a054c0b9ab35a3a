"""Runs a module as a supervised child: ``python -m connect.service.supervised PARENT_PID MODULE ARGUMENTS...``.

The kernel kills this process when its supervisor ends, however that ends. Source: prctl(2), PR_SET_PDEATHSIG.
"""

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import sys

_PR_SET_PDEATHSIG = 1


def run(parent_pid: int, module: str, arguments: list[str]) -> None:
    """Becomes ``python -m module arguments``, bound to its parent."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)  # the parent ended before the kernel was told
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    run(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
