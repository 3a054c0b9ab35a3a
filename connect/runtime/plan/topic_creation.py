"""``topic.creation.*``: how a source's missing topics are created (KIP-158). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connect.api import ConfigProblem
from connect.api.java_regex import compile_pattern

DEFAULT_GROUP = "default"
BROKER_DEFAULT = -1


@dataclass(frozen=True, slots=True)
class TopicRule:
    """One group of rules. ``include`` and ``exclude`` are Java's regular expressions on whole topic names.

    ``partitions`` and ``replication_factor`` may be -1, the broker's default; ``configs`` are topic configs.
    """

    name: str
    partitions: int
    replication_factor: int
    configs: Mapping[str, str]
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def applies_to(self, topic: str) -> bool:
        return _matches(self.include, topic) and not _matches(self.exclude, topic)


def _matches(patterns: tuple[str, ...], topic: str) -> bool:
    return any(compile_pattern(pattern).fullmatch(topic) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class TopicRules:
    """The groups in order; the default group is last and takes every topic."""

    groups: tuple[TopicRule, ...] = ()

    def rule_for(self, topic: str) -> TopicRule | None:
        """The first group that applies; None where the configuration leaves creation to the broker."""
        return next((rule for rule in self.groups if rule.name == DEFAULT_GROUP or rule.applies_to(topic)), None)


def topic_rules(groups: str, values: Mapping[str, str]) -> tuple[TopicRules, list[ConfigProblem]]:
    """Parses ``topic.creation.groups`` and the keys below ``topic.creation.`` (given in full)."""
    names = [name.strip() for name in groups.split(",") if name.strip() and name.strip() != DEFAULT_GROUP]
    if not values and not names:
        return TopicRules(), []
    problems: list[ConfigProblem] = []
    rules = []
    taken: set[str] = set()
    for name in [*names, DEFAULT_GROUP]:
        prefix = f"topic.creation.{name}."
        own = {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}
        taken |= {prefix + key for key in own}
        rules.append(_rule(name, own, problems))
    for key in values.keys() - taken:
        group = key.removeprefix("topic.creation.").partition(".")[0]
        problems.append(
            ConfigProblem(
                key, f'{key} belongs to no topic creation group: "{group}" is not in topic.creation.groups.', "Add it there."
            )
        )
    return TopicRules(tuple(rules)), problems


def _rule(name: str, values: dict[str, str], problems: list[ConfigProblem]) -> TopicRule:
    prefix = f"topic.creation.{name}."
    return TopicRule(
        name,
        _number(prefix, "partitions", values, problems, required=name == DEFAULT_GROUP),
        _number(prefix, "replication.factor", values, problems, required=name == DEFAULT_GROUP),
        include=_patterns(prefix, "include", values, problems, required=name != DEFAULT_GROUP),
        exclude=_patterns(prefix, "exclude", values, problems, required=False),
        configs=values,  # what is left after the others took theirs
    )


def _missing(key: str) -> ConfigProblem:
    return ConfigProblem(key, f'Missing required configuration "{key}" which has no default value.')


def _number(prefix: str, key: str, values: dict[str, str], problems: list[ConfigProblem], *, required: bool) -> int:
    given = values.pop(key, None)
    if given is None:
        if required:
            problems.append(_missing(prefix + key))
        return BROKER_DEFAULT
    try:
        number = int(given)
    except ValueError:
        problems.append(
            ConfigProblem(prefix + key, f"Invalid value {given} for configuration {prefix + key}: Not a number of type INT")
        )
        return BROKER_DEFAULT
    if number != BROKER_DEFAULT and number < 1:
        problems.append(
            ConfigProblem(
                prefix + key,
                f"Invalid value {given} for configuration {prefix + key}: Value must be positive, or -1 (the broker's)",
            )
        )
    return number


def _patterns(
    prefix: str, key: str, values: dict[str, str], problems: list[ConfigProblem], *, required: bool
) -> tuple[str, ...]:
    given = values.pop(key, None)
    if given is None:
        if required:
            problems.append(_missing(prefix + key))
        return ()
    patterns = tuple(pattern.strip() for pattern in given.split(",") if pattern.strip())
    for pattern in patterns:
        try:
            compile_pattern(pattern)
        except ValueError as error:
            problems.append(ConfigProblem(prefix + key, f"Invalid value {given} for configuration {prefix + key}: {error}"))
    return patterns
