"""A sink's offsets: those of the consumer group ``connect-{name}``, where every Kafka tool looks for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

REQUEST_SECONDS = 10.0


def group_of(connector: str) -> str:
    return f"connect-{connector}"


class GroupOffsets:
    """Reads and forgets. Both block, and raise KafkaException where the log does not answer.

    A fresh client each time, which is rare: one that spoke to the coordinator before the broker was away may wait for its old
    connection for ever.
    """

    def __init__(self, make_admin: Callable[[], AdminClient]) -> None:
        self._make_admin = make_admin

    def offsets(self, connector: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """``({"kafka_topic", "kafka_partition"}, {"kafka_offset"})`` for each partition that has been committed."""
        group = group_of(connector)
        asked = [ConsumerGroupTopicPartitions(group)]
        admin = self._make_admin()
        answer = admin.list_consumer_group_offsets(asked, request_timeout=REQUEST_SECONDS)[group]
        try:
            committed = answer.result().topic_partitions
        except KafkaException as error:
            if error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND:
                return []
            raise
        return [
            ({"kafka_topic": place.topic, "kafka_partition": place.partition}, {"kafka_offset": place.offset})
            for place in sorted(committed, key=lambda place: (place.topic, place.partition))
            if place.offset >= 0
        ]

    def forget(self, connector: str) -> None:
        """Deletes the group, which has no members: tasks assign their partitions."""
        group = group_of(connector)
        admin = self._make_admin()
        try:
            admin.delete_consumer_groups([group], request_timeout=REQUEST_SECONDS)[group].result()
        except KafkaException as error:
            if error.args[0].code() != KafkaError.GROUP_ID_NOT_FOUND:
                raise
