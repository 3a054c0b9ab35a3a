"""The config topic, folded: what the cluster is to run. Pure.

Records (Kafka Connect's KafkaConfigBackingStore, plus our one key ``assignment``):

=============================  ===========================================================================
``connector-{name}``           ``{"properties": {...}}``; a tombstone removes the connector and its tasks
``task-{name}-{n}``            ``{"properties": {...}}``; has no effect before the commit
``commit-{name}``              ``{"tasks": n}``: the tasks written since the last commit apply, if complete
``target-state-{name}``        ``{"state": "PAUSED", "state.v2": "STOPPED"}``; a tombstone is STARTED
``restart-connector-{name}``   ``{"include-tasks": bool, "only-failed": bool}``
``assignment``                 :class:`~connect.runtime.herding.assignment.Assignment`
=============================  ===========================================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

import orjson

from connect.runtime.herding.assignment import Assignment, fingerprint
from connect.runtime.requests import TargetState

ASSIGNMENT_KEY = b"assignment"
V = TypeVar("V")
Properties = Mapping[str, str]


class Restart(NamedTuple):
    """A request to restart a connector. ``serial`` counts those seen, so that a new one can be told from an old one."""

    serial: int
    include_tasks: bool
    only_failed: bool


@dataclass(frozen=True, slots=True)
class ConfigState:
    """What all config records so far come to.

    ``committed`` may hold tasks of connectors that are not there (compaction keeps them): ask :meth:`tasks`.
    ``contested``: an assignment older than ours was written last, so the leader has to write its own again.
    """

    connectors: Mapping[str, Properties] = field(default_factory=dict)
    fingerprints: Mapping[str, str] = field(default_factory=dict)
    committed: Mapping[str, tuple[Properties, ...]] = field(default_factory=dict)
    deferred: Mapping[str, Mapping[int, Properties]] = field(default_factory=dict)
    inconsistent: frozenset[str] = frozenset()
    targets: Mapping[str, TargetState] = field(default_factory=dict)
    restarts: Mapping[str, Restart] = field(default_factory=dict)
    assignment: Assignment = field(default_factory=Assignment)
    contested: bool = False

    def tasks(self, name: str) -> tuple[Properties, ...]:
        """The committed task configurations; none while they are inconsistent."""
        if name not in self.connectors or name in self.inconsistent:
            return ()
        return self.committed.get(name, ())

    def target(self, name: str) -> TargetState:
        return self.targets.get(name, TargetState.STARTED)


def apply(state: ConfigState, key: bytes, value: bytes | None) -> ConfigState:
    """The state after one more record. What cannot be understood changes nothing: others may write there too."""
    try:
        name = key.decode()
        content = None if value is None else orjson.loads(value)
        if key == ASSIGNMENT_KEY:
            return _assignment(state, value)
        for prefix, handle in _HANDLERS.items():
            if name.startswith(prefix):
                return handle(state, name[len(prefix) :], content)
    except (ValueError, KeyError, TypeError, AttributeError):
        return state
    return state


def _assignment(state: ConfigState, value: bytes | None) -> ConfigState:
    if value is None:
        return replace(state, assignment=Assignment(), contested=False)
    found = Assignment.decode(value)
    if found.epoch < state.assignment.epoch:
        return replace(state, contested=True)
    return replace(state, assignment=found, contested=False)


def _connector(state: ConfigState, name: str, content: Any) -> ConfigState:
    if content is not None:
        config = _properties(content)
        fingerprints = {**state.fingerprints, name: fingerprint(config)}
        return replace(state, connectors={**state.connectors, name: config}, fingerprints=fingerprints)
    return replace(
        state,
        connectors=_without(state.connectors, name),
        fingerprints=_without(state.fingerprints, name),
        committed=_without(state.committed, name),
        deferred=_without(state.deferred, name),
        inconsistent=state.inconsistent - {name},
    )


def _task(state: ConfigState, rest: str, content: Any) -> ConfigState:
    name, _, number = rest.rpartition("-")
    written = {**state.deferred.get(name, {}), int(number): _properties(content)}
    return replace(state, deferred={**state.deferred, name: written})


def _commit(state: ConfigState, name: str, content: Any) -> ConfigState:
    count = int(content["tasks"])
    written = state.deferred.get(name, {})
    deferred = _without(state.deferred, name)
    if set(written) != set(range(count)):
        return replace(state, deferred=deferred, inconsistent=state.inconsistent | {name})
    committed = {**state.committed, name: tuple(written[number] for number in range(count))}
    return replace(state, deferred=deferred, committed=committed, inconsistent=state.inconsistent - {name})


def _target(state: ConfigState, name: str, content: Any) -> ConfigState:
    if content is None:
        return replace(state, targets=_without(state.targets, name))
    # Workers before 3.5 know the first field alone.
    target = TargetState(content.get("state.v2") or content["state"])
    return replace(state, targets={**state.targets, name: target})


def _restart(state: ConfigState, name: str, content: Any) -> ConfigState:
    before = state.restarts.get(name)
    restart = Restart((before.serial if before else 0) + 1, bool(content["include-tasks"]), bool(content["only-failed"]))
    return replace(state, restarts={**state.restarts, name: restart})


_HANDLERS = {
    "connector-": _connector,
    "task-": _task,
    "commit-": _commit,
    "target-state-": _target,
    "restart-connector-": _restart,
}


def _properties(content: Any) -> Properties:
    return {str(key): value for key, value in content["properties"].items()}


def _without(mapping: Mapping[str, V], name: str) -> dict[str, V]:
    return {key: value for key, value in mapping.items() if key != name}
