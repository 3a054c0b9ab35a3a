"""gzip with and without isal."""

import gzip
import random

import pytest

from connectors.formats import compression

TEXT = b"".join(b'{"id":%d,"note":"lorem ipsum"}\n' % random.Random(1).randrange(1000) for _ in range(5000))


@pytest.mark.parametrize("level", [-1, 0, 1, 6, 9])
@pytest.mark.parametrize("with_isal", [True, False])
def test_any_gunzip_reads_it(level: int, with_isal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not with_isal:
        monkeypatch.setattr(compression, "_isal", None)
    stream = compression.gzip_compressor(level)
    packed = b"".join(stream.compress(TEXT[at : at + 1000]) for at in range(0, len(TEXT), 1000)) + stream.flush()
    assert gzip.decompress(packed) == compression.gunzip(packed) == TEXT


def test_the_same_bytes_each_time() -> None:
    def pack() -> bytes:
        stream = compression.gzip_compressor()
        return stream.compress(TEXT) + stream.flush()

    assert pack() == pack()
    assert len(pack()) < len(TEXT) / 10
