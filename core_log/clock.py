"""The broker's clock: wall time that never jumps, so that a corrected system clock expires nobody's session."""

import time


class Clock:
    def __init__(self) -> None:
        self._offset_ms = time.time() * 1000 - time.monotonic() * 1000

    def now_ms(self) -> int:
        """Milliseconds since 1970, as of the start plus what has passed since."""
        return int(time.monotonic() * 1000 + self._offset_ms)
