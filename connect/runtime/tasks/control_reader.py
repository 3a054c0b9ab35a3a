"""One thread per worker reads the control pipes of all its task processes."""

from __future__ import annotations

import os
import selectors
import threading
from collections import deque
from collections.abc import Callable
from functools import cache

Ready = Callable[[], bool]
"""Called when a descriptor is readable; False means not to watch it any more."""


class ControlReader:
    """Calls back, on a thread of its own, when a descriptor becomes readable. Callbacks must not block."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        self._arriving: deque[tuple[int, Ready]] = deque()
        threading.Thread(target=self._run, name="task-control", daemon=True).start()

    def watch(self, descriptor: int, ready: Ready) -> None:
        """From any thread. The descriptor stays open until ``ready`` has answered False."""
        self._arriving.append((descriptor, ready))
        os.write(self._wake_write, b"\0")

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.data is None:
                    self._admit()
                elif not key.data():
                    self._selector.unregister(key.fd)

    def _admit(self) -> None:
        os.read(self._wake_read, 4096)
        while self._arriving:
            descriptor, ready = self._arriving.popleft()
            self._selector.register(descriptor, selectors.EVENT_READ, ready)


@cache
def shared() -> ControlReader:
    """The worker's one reader."""
    return ControlReader()
