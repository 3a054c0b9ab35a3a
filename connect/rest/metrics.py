"""Prometheus metrics, from the snapshot of the cluster. Names are those that the usual JMX exporter rules give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from connect.runtime.herding.cluster_view import ClusterView
from connect.runtime.herding.statuses import State

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class ViewCollector(Collector):
    """Counts what one snapshot shows; records are those of the tasks at the worker that is asked."""

    def __init__(self, view: ClusterView) -> None:
        self._statuses = [status for name in sorted(view.connectors) if (status := view.status(name)) is not None]

    def collect(self) -> Iterable[Metric]:
        connectors = GaugeMetricFamily("kafka_connect_worker_connector_count", "Connectors in the cluster.")
        connectors.add_metric([], len(self._statuses))
        tasks = GaugeMetricFamily("kafka_connect_worker_task_count", "Tasks in the cluster.")
        tasks.add_metric([], sum(len(status["tasks"]) for status in self._statuses))
        return [connectors, tasks, self._connector_tasks(), self._records()]

    def _connector_tasks(self) -> Metric:
        family = GaugeMetricFamily("kafka_connect_connector_tasks", "Tasks by state.", labels=["connector", "state"])
        for status in self._statuses:
            states = Counter(task["state"] for task in status["tasks"])
            for state in State:
                family.add_metric([status["name"], state.value.lower()], states[state.value])
        return family

    def _records(self) -> Metric:
        family = CounterMetricFamily(
            "penstock_task_records", "Records that a task of this worker has handled.", labels=["connector", "task"]
        )
        for status in self._statuses:
            tasks: list[dict[str, Any]] = status["penstock"]["tasks"]
            for task in tasks:
                family.add_metric([status["name"], str(task["id"])], task["progress"]["records"])
        return family


def text(view: ClusterView) -> bytes:
    """The exposition format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ViewCollector(view))
    return generate_latest(registry)
