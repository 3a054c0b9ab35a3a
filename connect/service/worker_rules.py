"""What is wrong with a worker's properties, key by key: pure, every problem at once."""

from __future__ import annotations

from collections.abc import Mapping

from connect.api import ConfigProblem
from connect.service.client_keys import IGNORED_FAMILIES, RULES, Ignored, Role
from connect.service.client_security import SECURITY_KEYS
from connect.service.kafka_clients import problems_and_translation
from connect.service.suggestions import did_you_mean
from connect.service.worker_keys import (
    CLIENT_PREFIXES,
    CONVERTER_PREFIXES,
    IGNORED_PREFIXES,
    SERVED,
    TOPIC_PREFIXES,
    UNSERVED,
)

_CLIENT_KEYS = frozenset().union(SECURITY_KEYS, *RULES.values())
_FAMILIES = (*CLIENT_PREFIXES, *CONVERTER_PREFIXES, *TOPIC_PREFIXES, *IGNORED_PREFIXES, *IGNORED_FAMILIES)


def key_problems(raw: Mapping[str, str]) -> tuple[list[ConfigProblem], list[str]]:
    """Keys that must be there, that nobody knows, that cannot be served; and a line for each that has no effect."""
    problems = [
        ConfigProblem(key, f"{key} is required.", _REQUIRED_REMEDIES.get(key, f"Add the line {key}=..."))
        for key, default in SERVED.items()
        if default is None and not raw.get(key, "").strip()
    ]
    notes: list[str] = []
    for key, value in raw.items():
        if key in SERVED:
            continue
        rule = UNSERVED.get(key)
        if isinstance(rule, Ignored):
            if rule.because and value.strip() not in rule.silent:
                notes.append(f"{key} has no effect: {rule.because}.")
        elif rule is not None:
            if value.strip() not in rule.accepted:
                problems.append(ConfigProblem(key, f"{key}={value} cannot be served: {rule.because}.", rule.remedy))
        elif key not in _CLIENT_KEYS and not key.startswith(_FAMILIES):
            problems.append(
                ConfigProblem(key, f"{key} is no setting of a worker.", did_you_mean(key, (*SERVED, *UNSERVED, *_CLIENT_KEYS)))
            )
    return problems, notes


_REQUIRED_REMEDIES = {
    "group.id": "Add the line group.id=connect-cluster; workers with the same one work together.",
    "config.storage.topic": "Add the line config.storage.topic=connect-configs.",
    "offset.storage.topic": "Add the line offset.storage.topic=connect-offsets.",
    "status.storage.topic": "Add the line status.storage.topic=connect-status.",
    "bootstrap.servers": "Add the line bootstrap.servers=localhost:9092.",
    "key.converter": "Add the line key.converter=org.apache.kafka.connect.json.JsonConverter.",
    "value.converter": "Add the line value.converter=org.apache.kafka.connect.json.JsonConverter.",
}


def family_problems(raw: Mapping[str, str]) -> tuple[list[ConfigProblem], list[str]]:
    """The client settings: those for all clients, and those under ``producer.``, ``consumer.`` and ``admin.``."""
    problems: list[ConfigProblem] = []
    notes: list[str] = []
    client_keys = {key: value for key, value in raw.items() if key in _CLIENT_KEYS and key not in UNSERVED}
    common = {key: value for key, value in client_keys.items() if key not in SERVED or key == "bootstrap.servers"}
    roles: tuple[Role, ...] = ("producer", "consumer", "admin")
    for role in roles:
        found, translated = problems_and_translation(role, common_of(role, common))
        problems += [problem for problem in found if problem not in problems]
        notes += translated.notes
    for prefix, of in CLIENT_PREFIXES.items():
        role = next(role for role in roles if role == of)
        theirs = {key.removeprefix(prefix): value for key, value in raw.items() if key.startswith(prefix)}
        theirs = {key: value for key, value in theirs.items() if key != "listeners"}
        found, translated = problems_and_translation(role, {**common_of(role, common), **theirs})
        found = [problem for problem in found if problem not in problems]
        problems += [ConfigProblem(prefix + key, f"{prefix}{message}", remedy) for key, message, remedy in found]
        notes += [prefix + note for note in translated.notes if note not in notes]
    return problems, notes


def common_of(role: Role, keys: Mapping[str, str]) -> dict[str, str]:
    """Those of the unprefixed client settings that mean something to this kind of client."""
    return {key: value for key, value in keys.items() if key in RULES[role] or key in SECURITY_KEYS}


class Reader:
    """Reads typed values out of strings and collects what is wrong with them."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.problems: list[ConfigProblem] = []

    def text(self, key: str) -> str:
        return self._values[key].strip()

    def list(self, key: str) -> tuple[str, ...]:
        """A comma-separated list."""
        return tuple(item.strip() for item in self._values[key].split(",") if item.strip())

    def integer(self, key: str, *, low: int) -> int:
        """A whole number from ``low`` up to Java's largest long."""
        text = self.text(key)
        try:
            number = int(text)
        except ValueError:
            number = low - 1
        if not low <= number < 2**63:
            self.problems.append(ConfigProblem(key, f"{key}={text} is wrong.", f"Use a whole number from {low} up."))
        return number

    def count(self, key: str) -> int:
        """Partitions or replicas: 1 and more, or -1 for the broker's default."""
        return -1 if self.text(key) == "-1" else self.integer(key, low=1)

    def choice(self, key: str, *choices: str) -> str:
        """One of some words, in lower case; Java class names of override policies count by their simple name."""
        given = self.text(key).lower()
        for word in choices:
            if given == word or given.endswith(f".{word}connectorclientconfigoverridepolicy"):
                return word
        self.problems.append(ConfigProblem(key, f"{key}={self.text(key)} is wrong.", f"Use one of {', '.join(choices)}."))
        return choices[0]
