"""Programs that the demo starts: they never outlive it."""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import sys
from collections.abc import Callable

from connect.service.death_signal import PR_SET_PDEATHSIG


def dies_with_us(number: signal.Signals) -> Callable[[], None]:
    """For ``preexec_fn``: the kernel sends this signal when the thread that started the child ends. Source: prctl(2)."""
    if sys.platform != "linux":
        return lambda: None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


def free_port() -> int:
    """A port that is free on the loopback interface now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stop(process: subprocess.Popen[bytes] | None, ask: signal.Signals, timeout_seconds: float = 20) -> None:
    """Asks a program to end, and kills it if it does not."""
    if process is None or process.poll() is not None:
        return
    process.send_signal(ask)
    try:
        process.wait(timeout_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
