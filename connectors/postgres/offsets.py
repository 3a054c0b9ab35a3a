"""Source offsets in Debezium's form, so that one product can go on where the other stopped.

A streaming offset is ``{"lsn", "lsn_proc", "lsn_commit", "txId", "ts_usec", "messageType"}``: the change it belongs to, and
the position before which every transaction is done. ``lsn_row`` is ours: COPY into a table writes many rows under one LSN, so
a row's place among them is needed to go on in their midst (absent: 0). A snapshot's offset has ``snapshot: INITIAL`` and
whether the snapshot is complete.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connect.api import Offset, Partition


@dataclass(frozen=True, slots=True)
class ResumePoint:
    """What a stored offset says.

    Transactions that committed before ``commit_lsn`` are done; of the others, only the changes of ``xid`` up to ``(lsn, row)``.
    """

    commit_lsn: int = 0
    lsn: int = 0
    row: int = 0
    xid: int | None = None

    def stored(self, lsn: int, row: int) -> bool:
        """Whether that change of ``xid`` is in the log already."""
        return lsn < self.lsn or (lsn == self.lsn and row <= self.row)


def partition_of(prefix: str) -> Partition:
    return {"server": prefix}


def snapshot_pending(offset: Offset | None) -> bool:
    """Whether the tables have yet to be read (again)."""
    return offset is None or (bool(offset.get("snapshot")) and not offset.get("snapshot_completed"))


def resume_point(offset: Offset | None) -> ResumePoint:
    if offset is None or offset.get("snapshot"):
        return ResumePoint()
    commit = confirmed_lsn(offset) or 0
    if not offset.get("messageType"):
        return ResumePoint(commit)
    return ResumePoint(commit, int(offset["lsn"]), int(offset.get("lsn_row") or 0), offset.get("txId"))


def confirmed_lsn(offset: Offset) -> int | None:
    """Up to where the server may forget its WAL once this offset is durable; None while a snapshot has yet to end."""
    if offset.get("snapshot"):
        return None
    lsn = offset.get("lsn_commit") or offset.get("lsn_proc")
    return None if lsn is None else int(lsn)


def change_offset(lsn: int, row: int, commit_lsn: int, xid: int, ts_usec: int, kind: str) -> dict[str, Any]:
    """After one change within a transaction."""
    offset: dict[str, Any] = {"lsn": lsn, "txId": xid, "ts_usec": ts_usec, "messageType": kind}
    if commit_lsn:
        offset["lsn_proc"] = offset["lsn_commit"] = commit_lsn
    if row:
        offset["lsn_row"] = row
    return offset


def position_offset(lsn: int, ts_usec: int) -> dict[str, Any]:
    """Between transactions: everything that committed before ``lsn`` is done."""
    return {"lsn": lsn, "lsn_proc": lsn, "lsn_commit": lsn, "ts_usec": ts_usec}


def snapshot_offset(lsn: int, xid: int, ts_usec: int, *, last: bool, completed: bool) -> dict[str, Any]:
    return {
        "lsn": lsn,
        "txId": xid,
        "ts_usec": ts_usec,
        "snapshot": "INITIAL",
        "last_snapshot_record": last,
        "snapshot_completed": completed,
    }
