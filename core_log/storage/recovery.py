"""Reading a partition's files back: trust the checkpoints, verify the rest, cut at the first bad batch.

What comes out is a clean prefix of what was written: whole batches with the right CRC, offsets without a gap. It is
idempotent, and a crash in the middle of it leaves something that it can read.
"""

import logging
from typing import NamedTuple

from core_log.errors import BrokerError, ErrorCode
from core_log.storage.files import Files, replace
from core_log.storage.producer_state import ProducerState
from core_log.storage.segment import Segment

log = logging.getLogger(__name__)

START_OFFSET_FILE = "log-start-offset"


class Recovered(NamedTuple):
    """``segments`` is never empty; the last one is appended to."""

    segments: list[Segment]
    producers: ProducerState
    log_start_offset: int


def recover(files: Files, directory: str, now_ms: int) -> Recovered:
    """Raises OSError when the disk fails. What is wrong with the files' content is repaired and logged."""
    names = set(files.list(directory))
    start_offset = _stored_start_offset(files, directory, names)
    bases = sorted(int(name[:-4]) for name in names if name.endswith(".log"))
    _remove_strays(files, directory, names, bases)
    segments: list[Segment] = []
    producers = ProducerState()
    for number, base in enumerate(bases):
        segment = Segment(files, directory, base, now_ms)
        producers, whole = _load(files, segment, producers)
        segments.append(segment)
        later = bases[number + 1 :]
        if whole and (not later or later[0] == segment.next_offset):
            if later and segment.size > segment.checkpointed_size:
                _vouch(files, segment, producers)
            continue
        if not _were_synced(files, directory, later):
            _cut(files, segment, directory, later)
            break
        log.error(
            "%s is damaged: nothing can be read between offset %d and the next file, which begins at %d",
            segment.path,
            segment.next_offset,
            later[0],
        )
    if segments:
        segments[-1].file.sync()  # what was found may be in the page cache only; from here on it counts as on disk
        if segments[-1].checkpointed_size < 0:
            files.sync_directory(directory)
    return _from_start(files, directory, segments, producers, start_offset, now_ms)


def _load(files: Files, segment: Segment, producers: ProducerState) -> tuple[ProducerState, bool]:
    """Restore the segment; returns the producers' state at its end and whether every byte of the file belongs to a good
    batch.
    """
    end = files.size(segment.path)
    checkpoint = segment.stored_checkpoint()
    if checkpoint is not None and checkpoint.size <= end:
        segment.restore(checkpoint)
        producers = checkpoint.read_producers()
    if segment.size == end:
        return producers, True
    for position, header, _ in segment.batches(segment.size):
        if header.base_offset != segment.next_offset:
            break
        segment.take(header, position)
        if header.producer_id >= 0 and not header.is_control:
            producers.update(header, header.base_offset)
    return producers, segment.size == end


def _vouch(files: Files, segment: Segment, producers: ProducerState) -> None:
    """Sync a segment that was verified and write its checkpoint, so that no later start verifies it again."""
    segment.file.sync()
    checkpoint = segment.checkpoint(producers)
    try:
        replace(files, segment.checkpoint_path, checkpoint.to_bytes())
    except OSError as error:
        log.warning("%s cannot be written (%s): the next start verifies the segment again", segment.checkpoint_path, error)
    else:
        segment.checkpointed_size = checkpoint.size


def _were_synced(files: Files, directory: str, bases: list[int]) -> bool:
    """Whether one of these segments has a checkpoint: it was synced then, and so was everything before it. What is missing
    before it was lost to damage and not to a crash, so it must stay.
    """
    return any(files.exists(f"{directory}/{base:020d}.index") for base in bases)


def _cut(files: Files, segment: Segment, directory: str, later: list[int]) -> None:
    """End the log with this segment's last good batch. Later files go first: a crash in between leaves the same case again."""
    for base in reversed(later):
        log.warning("%s/%020d.log follows a damaged file and was never acknowledged: removed", directory, base)
        _remove_segment(files, directory, base)
    files.sync_directory(directory)
    lost = segment.file.size() - segment.size
    if lost:
        log.warning(
            "%s: %d bytes after offset %d are no whole batch (a write that a crash cut short): removed",
            segment.path,
            lost,
            segment.next_offset,
        )
        segment.file.truncate(segment.size)


def _from_start(
    files: Files, directory: str, segments: list[Segment], producers: ProducerState, start_offset: int, now_ms: int
) -> Recovered:
    if not segments or segments[-1].next_offset < start_offset:
        for segment in segments:
            _remove_segment(files, directory, segment.base_offset)
        segments = [Segment(files, directory, start_offset, now_ms)]
        segments[0].file.sync()
        files.sync_directory(directory)
    return Recovered(segments, producers, max(start_offset, segments[0].base_offset))


def _remove_segment(files: Files, directory: str, base_offset: int) -> None:
    for suffix in ("index", "log"):
        path = f"{directory}/{base_offset:020d}.{suffix}"
        if files.exists(path):
            files.remove(path)


def _remove_strays(files: Files, directory: str, names: set[str], bases: list[int]) -> None:
    """Checkpoints whose segment is gone, and temporary files."""
    kept = {f"{base:020d}.index" for base in bases}
    for name in names:
        if name.endswith(".tmp") or (name.endswith(".index") and name not in kept):
            files.remove(f"{directory}/{name}")


def _stored_start_offset(files: Files, directory: str, names: set[str]) -> int:
    if START_OFFSET_FILE not in names:
        return 0
    path = f"{directory}/{START_OFFSET_FILE}"
    text = files.read(path).decode("ascii", "replace").strip()
    if not text.isdigit():
        raise BrokerError(
            ErrorCode.KAFKA_STORAGE_ERROR, f"{path} should hold the first offset of the log, a number; it holds {text!r}"
        )
    return int(text)
