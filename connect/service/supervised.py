"""Runs a module as a supervised child: ``python -m connect.service.supervised PARENT_PID MODULE ARGUMENTS...``.

The kernel kills this process when its supervisor ends, however that ends.
"""

from __future__ import annotations

import runpy
import sys

from connect.service.death_signal import die_with_parent


def run(parent_pid: int, module: str, arguments: list[str]) -> None:
    """Becomes ``python -m module arguments``, bound to its parent."""
    die_with_parent(parent_pid)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    run(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
