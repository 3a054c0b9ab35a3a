"""A worker: its herder, its place in the group, and what they need; REST is added by whoever serves it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

from confluent_kafka.admin import AdminClient

from connect.runtime.herding.group_offsets import GroupOffsets
from connect.runtime.herding.herder import Herder
from connect.runtime.herding.schedule import Schedule
from connect.runtime.herding.stores import OnChange
from connect.runtime.herding.surroundings import Surroundings
from connect.runtime.plan import probes
from connect.runtime.plan.probe_child import Outline
from connect.runtime.processes import forkserver
from connect.runtime.tasks.task_process import TaskProcess
from connect.service import kafka_clients
from connect.service.membership import Membership
from connect.service.settings import WorkerSettings
from connect.service.topic_table import TopicTable

log = logging.getLogger(__name__)

METADATA_SECONDS = 10.0


class Worker:
    """``settings`` name the port that the listener has. Call :meth:`start` and :meth:`stop` once each."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._settings = settings
        self._admin: AdminClient = kafka_clients.admin(settings)
        self._schedule = Schedule()
        self.herder = Herder(settings, self._surroundings())
        self._membership = Membership(settings, on_change=self.herder.members_changed)

    def start(self) -> None:
        """Returns once the internal topics have been read and the worker is on its way into the group.

        Waits for the brokers as long as it takes. Raises EnvironmentProblem where it cannot work.
        """
        with ThreadPoolExecutor(2, "start") as pool:
            # The slow imports of the forkserver and of the scheduler run while the topics are read.
            preloading = pool.submit(forkserver.context)
            scheduling = pool.submit(self._schedule.start)
            self.herder.open()
            scheduling.result()
            preloading.result()
        self.herder.start()
        self._membership.start()

    def stop(self) -> None:
        """Stops this worker's tasks, then leaves the group, so that others take them over at once."""
        self.herder.stop()
        self._membership.stop()
        self._schedule.stop()

    def _surroundings(self) -> Surroundings:
        return Surroundings(
            make_table=self._table,
            start_process=TaskProcess,
            find_outline=self._outline,
            list_topics=self._topics,
            group_offsets=GroupOffsets(lambda: kafka_clients.admin(self._settings)),
            wake_in=self._wake_in,
            cluster_id=self._cluster_id,
        )

    def _table(self, role: Literal["config", "offset", "status"], on_change: OnChange) -> TopicTable:
        settings = self._settings
        topic, partitions, replicas = {
            "config": (settings.config_topic, 1, settings.config_replication_factor),
            "offset": (settings.offset_topic, settings.offset_partitions, settings.offset_replication_factor),
            "status": (settings.status_topic, settings.status_partitions, settings.status_replication_factor),
        }[role]
        return TopicTable(settings, topic, partitions=partitions, replication_factor=replicas, on_change=on_change)

    def _outline(self, config: Mapping[str, str]) -> Outline:
        return probes.outline(config, self._settings)

    def _topics(self) -> dict[str, int]:
        found: Any = self._admin.list_topics(timeout=METADATA_SECONDS)
        return {name: len(topic.partitions) for name, topic in found.topics.items() if topic.error is None}

    def _cluster_id(self) -> str:
        found: Any = self._admin.list_topics(self._settings.config_topic, timeout=METADATA_SECONDS)
        return str(found.cluster_id or "")

    def _wake_in(self, seconds: float, wake: Callable[[], None]) -> None:
        self._schedule.after(seconds, "herder", wake)
