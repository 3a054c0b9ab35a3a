"""One open output file: lines on their way to an object, and the offsets they came from."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import IO

from connectors.formats.compression import Compressor, Stored, gunzip

# A file stays in memory up to here and goes to the temporary folder beyond: memory does not grow with the open files' sizes.
_MEMORY_BYTES = 256 * 1024

FIRST_OFFSET = "penstock-first-offset"
LAST_OFFSET = "penstock-last-offset"
RECORDS = "penstock-records"
FIRST_TIMESTAMP = "penstock-first-timestamp"


class OutputFile:
    """Lines of one output partition, from ``first_offset`` on."""

    def __init__(self, key: str, first_timestamp: int | None, compressor: Callable[[], Compressor]) -> None:
        self.key = key
        self.first_timestamp = first_timestamp
        self.offsets = array("q")
        self._make_compressor = compressor
        self._compressor: Compressor | None = compressor()
        self._body: IO[bytes] = tempfile.SpooledTemporaryFile(_MEMORY_BYTES)  # noqa: SIM115 - closed by discard

    def append(self, lines: Sequence[bytes], offsets: Sequence[int]) -> None:
        """Adds lines; ``offsets`` has one for each."""
        assert self._compressor, "the file is finished"
        self._body.write(self._compressor.compress(b"".join(lines)))
        self.offsets.extend(offsets)

    def finish(self) -> IO[bytes]:
        """The whole content, compressed, from its beginning. Nothing can be appended any more."""
        if self._compressor is not None:
            self._body.write(self._compressor.flush())
            self._compressor = None
        self._body.seek(0)
        return self._body

    @property
    def metadata(self) -> Mapping[str, str]:
        """What the object says of itself: which records it holds."""
        said = {FIRST_OFFSET: self.offsets[0], LAST_OFFSET: self.offsets[-1], RECORDS: len(self.offsets)}
        if self.first_timestamp is not None:
            said[FIRST_TIMESTAMP] = self.first_timestamp
        return {name: str(value) for name, value in said.items()}

    def lines_after(self, count: int) -> tuple[list[bytes], Sequence[int]]:
        """The lines behind the first ``count``, and their offsets."""
        content = self.finish().read()
        plain = content if isinstance(self._make_compressor(), Stored) else gunzip(content)
        return plain.splitlines(keepends=True)[count:], self.offsets[count:]

    def discard(self) -> None:
        """Gives back memory and disk."""
        self._body.close()
