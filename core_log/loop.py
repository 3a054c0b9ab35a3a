"""The event loop: one epoll, the thread that owns all state, and a way in for the others."""

import os
import select
from collections import deque
from collections.abc import Callable


class Loop:
    """The thread that owns all state: waits for sockets, runs what other threads post."""

    def __init__(self) -> None:
        self.epoll = select.epoll()
        self._posted: deque[Callable[[], None]] = deque()
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.epoll.register(self._wake_fd, select.EPOLLIN)
        self._handlers: dict[int, Callable[[int], None]] = {self._wake_fd: self._woken}
        self._asleep = False

    def post(self, call: Callable[[], None]) -> None:
        """Run ``call`` on the loop's thread, soon. Any thread."""
        self._posted.append(call)
        if self._asleep:  # otherwise the turn ends with it
            os.eventfd_write(self._wake_fd, 1)

    def watch(self, fd: int, events: int, handler: Callable[[int], None]) -> None:
        self.epoll.register(fd, events)
        self._handlers[fd] = handler

    def unwatch(self, fd: int) -> None:
        if self._handlers.pop(fd, None) is not None:
            self.epoll.unregister(fd)

    def _woken(self, _events: int) -> None:
        os.eventfd_read(self._wake_fd)

    def run_posted(self) -> None:
        while self._posted:
            self._posted.popleft()()

    def turn(self, timeout_seconds: float) -> None:
        """Wait for events, at most so long, and handle them."""
        self._asleep = True  # before looking: what is posted after the look wakes
        found = self.epoll.poll(0 if self._posted else timeout_seconds)
        self._asleep = False
        for fd, events in found:
            handler = self._handlers.get(fd)
            if handler is not None:  # closed by an earlier event of this turn
                handler(events)
        self.run_posted()
