"""What only the leader does: find out what a connector's work is, deal it out, and keep the records of it true.

Used by the herder's thread alone. :meth:`Leader.lead` is level-triggered: it compares what is with what ought to be, writes
the difference, and may be called as often as one likes; whatever fails is simply tried again at its next call.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from connect.runtime.backoff import Backoff
from connect.runtime.herding import sink_topics
from connect.runtime.herding.assignment import Deal, Kind, Work, assign
from connect.runtime.herding.config_state import ConfigState
from connect.runtime.herding.discovery import Discovery, Finding, OutlineFailed, OutlineFound, TopicsFound
from connect.runtime.herding.following import TASK_CLASS
from connect.runtime.herding.statuses import State, Status
from connect.runtime.herding.stores import ConfigStore, StatusStore
from connect.runtime.plan.probe_child import Outline
from connect.runtime.requests import TargetState
from connect.service.settings import WorkerSettings

log = logging.getLogger(__name__)

# How often topics are looked at for new partitions; while a sink waits for a topic to appear, more often.
TOPIC_SCAN_SECONDS = 10.0
MISSING_TOPIC_SCAN_SECONDS = 1.0


@dataclass(slots=True)
class Case:
    """What the leader knows about one connector in its newest configuration (``config`` is the fingerprint)."""

    config: str
    outline: Outline | None = None
    asked: bool = False
    trace: str | None = None
    lasting: bool = False
    retry_at: float = 0.0
    backoff: Backoff = field(default_factory=Backoff)
    restarting: bool = False


@dataclass
class Leader:
    """``clock`` is monotonic seconds; ``state`` gives what the config topic holds at the moment."""

    settings: WorkerSettings
    configs: ConfigStore
    statuses: StatusStore
    discovery: Discovery
    state: Callable[[], ConfigState]
    clock: Callable[[], float]
    topics: Mapping[str, int] = field(default_factory=dict)
    cases: dict[str, Case] = field(default_factory=dict)
    _next_scan_at: float = 0.0

    def lead(self, workers: Collection[str]) -> None:
        """One round. ``workers`` are the URLs of those that take part."""
        state = self.state()
        self.cases = {name: case for name, case in self.cases.items() if name in state.connectors}
        for name in state.connectors:
            self._look_after(name)
        self._deal(workers)
        self._scan_topics()
        self._show_connectors()
        self._clear_tasks({self._worker_id(url) for url in workers})

    def resign(self) -> None:
        """Somebody else leads: what was known here grows old."""
        self.cases.clear()
        self.topics, self._next_scan_at = {}, 0.0

    def take_in(self, finding: Finding) -> None:
        """An answer of the discovery; answers for older configurations are dropped."""
        if isinstance(finding, TopicsFound):
            self.topics = self.topics if finding.topics is None else finding.topics
            return
        case = self.cases.get(finding.name)
        if case is None or case.config != finding.config:
            return
        case.asked = case.restarting = False
        if isinstance(finding, OutlineFound):
            case.outline, case.trace = finding.outline, None
            case.backoff.reset()
            self._next_scan_at = 0.0
        else:
            self._note_failure(case, finding)

    def restart(self, name: str) -> None:
        """Finds out anew what the connector's work is; its tasks go on unless that has changed."""
        self.cases[name] = Case(self.state().fingerprints[name], restarting=True)

    def next_deadline(self) -> float | None:
        """When :meth:`lead` has something to do although nothing happens (monotonic seconds)."""
        waiting = [case.retry_at for case in self.cases.values() if case.trace and not case.lasting and not case.asked]
        return min([*waiting, self._next_scan_at] if self._sinks() else waiting, default=None)

    def kind(self, name: str) -> Kind:
        """What the deal says, else what the configuration looks like: only sinks name topics to read."""
        deal = self.state().assignment.deals.get(name)
        return deal.kind if deal else sink_topics.kind_by_keys(self.state().connectors[name])

    def _note_failure(self, case: Case, finding: OutlineFailed) -> None:
        case.trace, case.lasting = finding.trace, finding.lasting
        if not finding.lasting:
            delay = case.backoff.next_seconds()
            case.retry_at = self.clock() + delay
            log.warning("Connector %s: %s. Next try in %.1f s", finding.name, finding.trace.splitlines()[0], delay)

    def _look_after(self, name: str) -> None:
        """Sees to it that the work of one connector is known, and its task configurations written."""
        state = self.state()
        config = state.fingerprints[name]
        if state.target(name) is TargetState.STOPPED:
            self.cases.pop(name, None)
            if state.tasks(name) or name in state.inconsistent:
                self.configs.put_tasks(name, [])
            return
        case = self.cases.get(name)
        if case is None and self._is_settled(name):
            return
        if case is None or case.config != config:
            case = self.cases[name] = Case(config)
        if case.outline is not None:
            self._commit_tasks(name, case.outline)
        elif not case.asked and not case.lasting and self.clock() >= case.retry_at:
            case.asked = True
            self.discovery.ask_outline(name, state.connectors[name], config)

    def _is_settled(self, name: str) -> bool:
        """Was it dealt out in its present configuration, by us or by a leader before us?"""
        state = self.state()
        deal = state.assignment.deals.get(name)
        return (
            deal is not None
            and deal.config == state.fingerprints[name]
            and name not in state.inconsistent
            and len(state.tasks(name)) == len(deal.tasks)
        )

    def _commit_tasks(self, name: str, outline: Outline) -> None:
        state = self.state()
        config = state.connectors[name]
        tasks = [{**config, TASK_CLASS: _task_class(config)}] * _task_count(outline)
        if list(state.tasks(name)) != tasks or name in state.inconsistent:
            self.configs.put_tasks(name, tasks)

    def _deal(self, workers: Collection[str]) -> None:
        state = self.state()
        work = {name: found for name in state.connectors if (found := self._work(name)) is not None}
        previous = state.assignment
        if previous.epoch == 0:
            # Epochs go on from the generations that a JVM cluster may have left: newer is greater, whoever wrote it.
            newest = max((status.generation for status in self.statuses.tasks().values()), default=0)
            previous = replace(previous, epoch=newest)
        following = assign(previous, work, workers, self.settings.advertised_url)
        if following is not previous or state.contested:
            self.configs.put_assignment(following)

    def _work(self, name: str) -> Work | None:
        """What is to be dealt out: what was found out, else what there was before; None while nothing is known."""
        state = self.state()
        config, deal, case = state.fingerprints[name], state.assignment.deals.get(name), self.cases.get(name)
        if state.target(name) is TargetState.STOPPED:
            # No fingerprint: what it is to do once resumed has to be found out then.
            return Work(self.kind(name), deal.version if deal else "", "", 0)
        if case is not None and case.config == config and case.outline is not None:
            return self._outlined(name, config, case.outline, deal)
        if deal is None:
            return None
        held = tuple(partition for task in deal.tasks.values() for partition in task.partitions)
        if deal.kind == "sink" and deal.config == config:
            held = self._sink_partitions(name, deal)
        return Work(deal.kind, deal.version, deal.config, len(deal.tasks), held)

    def _outlined(self, name: str, config: str, outline: Outline, deal: Deal | None) -> Work:
        partitions = outline.partitions if outline.kind == "source" else self._sink_partitions(name, deal)
        return Work(outline.kind, outline.version, config, _task_count(outline), tuple(partitions))

    def _sink_partitions(self, name: str, deal: Deal | None) -> tuple[list[str | int], ...]:
        """All partitions of the sink's topics; as they are dealt until the topics have been looked at."""
        if not self.topics and deal is not None:
            return tuple(partition for task in deal.tasks.values() for partition in task.partitions)
        return sink_topics.partitions(self.state().connectors[name], self.topics)

    def _sinks(self) -> list[Mapping[str, str]]:
        state = self.state()
        deals = state.assignment.deals
        return [config for name, config in state.connectors.items() if name in deals and deals[name].kind == "sink"]

    def _scan_topics(self) -> None:
        sinks = self._sinks()
        if sinks and self.clock() >= self._next_scan_at:
            missing = any(sink_topics.missing(config, self.topics) for config in sinks)
            self._next_scan_at = self.clock() + (MISSING_TOPIC_SCAN_SECONDS if missing else TOPIC_SCAN_SECONDS)
            self.discovery.ask_topics()

    def _show_connectors(self) -> None:
        state = self.state()
        for name in state.connectors:
            self.statuses.show_connector(name, self._status(name))
        for name in self.statuses.connectors().keys() - state.connectors.keys():
            self.statuses.show_connector(name, None)
        for name in self.statuses.topics().keys() - state.connectors.keys():
            self.statuses.forget_topics(name)

    def _status(self, name: str) -> Status:
        state = self.state()
        deal, case = state.assignment.deals.get(name), self.cases.get(name)
        trace = case.trace if case else None
        shown = _SHOWN[state.target(name)]
        if case and trace and case.lasting:
            shown = State.FAILED
        elif case and case.restarting:
            shown = State.RESTARTING
        elif deal is None:
            shown = State.UNASSIGNED
        return Status(shown, self.settings.worker_id, deal.since if deal else 0, deal.version or None if deal else None, trace)

    def _clear_tasks(self, live: Collection[str]) -> None:
        """Tasks of workers that are gone are shown UNASSIGNED; those that are dealt out no more vanish when they have ended."""
        deals = self.state().assignment.deals
        for task_id, status in self.statuses.tasks().items():
            dealt = task_id.connector in deals and task_id.task in deals[task_id.connector].tasks
            lost = status.worker_id not in live
            if not dealt and (lost or status.state is State.UNASSIGNED):
                self.statuses.show_task(task_id, None)
            elif lost and status.state is not State.UNASSIGNED:
                gone = Status(State.UNASSIGNED, status.worker_id, status.generation, status.version)
                self.statuses.show_task(task_id, gone)

    @staticmethod
    def _worker_id(url: str) -> str:
        return url.partition("://")[2]


_SHOWN = {
    TargetState.STARTED: State.RUNNING,
    TargetState.PAUSED: State.PAUSED,
    TargetState.STOPPED: State.STOPPED,
}


def _task_count(outline: Outline) -> int:
    """A source has no use for more tasks than partitions; a sink's partitions may yet grow."""
    return min(outline.tasks_max, len(outline.partitions)) if outline.kind == "source" else outline.tasks_max


def _task_class(config: Mapping[str, str]) -> str:
    """A class name like those that the JVM writes there. Nobody reads it: a JVM worker writes its own when it takes over."""
    name = config["connector.class"]
    return name.removesuffix("Connector") + "Task" if name.endswith("Connector") else name
