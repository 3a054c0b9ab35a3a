"""The few threads beside the loop. They run only calls that release the GIL: fdatasync, removing files.

What they return is handed to the loop, which owns all state.
"""

import threading
from collections.abc import Callable
from queue import SimpleQueue

Post = Callable[[Callable[[], None]], None]
"""``post(call)``: run ``call`` on the loop's thread, soon. Any thread may post."""


class Pool:
    def __init__(self, post: Post, threads: int = 4) -> None:
        self._post = post
        self._limit = threads
        self._threads: list[threading.Thread] = []
        self._work: SimpleQueue[tuple[Callable[[], None], Callable[[], None]] | None] = SimpleQueue()
        self._busy = 0

    def submit(self, work: Callable[[], None], done: Callable[[], None]) -> None:
        """``work`` on a thread, then ``done`` on the loop. ``work`` must not raise: it keeps what went wrong for ``done``."""
        self._busy += 1
        if self._busy > len(self._threads) < self._limit:
            thread = threading.Thread(target=self._run, name=f"pool-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()
        self._work.put((work, done))

    def _run(self) -> None:
        while (item := self._work.get()) is not None:
            work, done = item
            work()
            self._post(lambda done=done: self._finish(done))  # type: ignore[misc]

    def _finish(self, done: Callable[[], None]) -> None:
        self._busy -= 1
        done()

    def close(self) -> None:
        """Wait for the work under way."""
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join()
