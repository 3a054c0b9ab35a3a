"""`python -m benchmarks [start] [cdc]`: every figure beside its budget. `cdc --help` says how to put an anchor beside ours."""

from __future__ import annotations

import sys

from benchmarks import cdc, start

if __name__ == "__main__":
    wanted = [name for name in sys.argv[1:] if name in ("start", "cdc")]
    if not wanted or "start" in wanted:
        start.main()
    if not wanted or "cdc" in wanted:
        cdc.main([argument for argument in sys.argv[1:] if argument not in ("start", "cdc")])
