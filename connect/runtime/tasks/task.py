"""What a worker tells a task process at its start, and what the process tells the worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from connect.service.settings import WorkerSettings

Kind = Literal["source", "sink"]
State = Literal["RUNNING", "PAUSED", "FAILED", "STOPPED"]


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """One task of one connector, as dealt out in the assignment of ``epoch``.

    ``partitions``: a source's partitions (JSON objects), or a sink's ``[topic, partition]`` pairs. ``offsets``: for a
    source, pairs of a partition and the offset to go on from; partitions that are not there begin anew.
    """

    connector: str
    task: int
    kind: Kind
    config: Mapping[str, str]
    partitions: list[Any]
    offsets: list[Any]
    epoch: int
    paused: bool
    settings: WorkerSettings


@dataclass(frozen=True, slots=True)
class TaskStateChanged:
    """``trace`` says what, where and why for FAILED. STOPPED: it was asked to, or another owner has fenced it."""

    state: State
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class TaskProgress:
    """How far a task is: sent at once when ``retry`` or ``details`` change, otherwise once a second if anything did.

    ``records``: handled since the process started, those ``skipped`` by errors.tolerance and ``filtered`` by a transform
    not included. ``last_record_ms``: when the last batch was handled (ms since 1970). ``details``: what the connector
    reports. ``retry``: ``{"cause": text, "attempt": 3, "next_try_ms": ms since 1970}`` while something is being retried.
    """

    records: int = 0
    skipped: int = 0
    filtered: int = 0
    last_record_ms: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    retry: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class TaskTopics:
    """These topics have been used for the first time by this process."""

    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaskExited:
    """The process is gone; nothing comes after this. 0: stopped; 1: failed; -9: killed; 255: its forkserver died."""

    exit_code: int


TaskEvent = TaskStateChanged | TaskProgress | TaskTopics | TaskExited
