"""Which topics a sink reads, from its configuration and what topics there are. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from connect.api.java_regex import compile_pattern
from connect.runtime.herding.assignment import Kind


def kind_by_keys(config: Mapping[str, str]) -> Kind:
    """What a connector probably is, before anybody has looked at its class: only sinks name topics to read."""
    return "sink" if config.get("topics") or config.get("topics.regex") else "source"


def partitions(config: Mapping[str, str], topics: Mapping[str, int]) -> tuple[list[str | int], ...]:
    """``[topic, partition]`` for everything that the sink reads of ``topics`` (name to number of partitions)."""
    return tuple([topic, number] for topic in sorted(_read(config, topics)) for number in range(topics[topic]))


def missing(config: Mapping[str, str], topics: Mapping[str, int]) -> bool:
    """Does the sink wait for topics? With a pattern one never knows, so it does while nothing matches."""
    return not topics.keys() >= set(_named(config)) or not _read(config, topics)


def _read(config: Mapping[str, str], topics: Mapping[str, int]) -> set[str]:
    pattern = config.get("topics.regex")
    if pattern:
        whole_name = compile_pattern(pattern).fullmatch
        return {topic for topic in topics if whole_name(topic) and not topic.startswith("__")}
    return topics.keys() & set(_named(config))


def _named(config: Mapping[str, str]) -> list[str]:
    return [topic.strip() for topic in config.get("topics", "").split(",") if topic.strip()]
