"""What an operator may write, and what is said about what he may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from core_log import settings
from core_log.errors import EnvironmentProblem

SHIPPED = Path(__file__).parents[2] / "config" / "broker.properties"


def load(folder: Path, text: str, **options: str | int | None) -> settings.BrokerSettings:
    file = folder / "broker.properties"
    file.write_text(text)
    return settings.load(str(file), {"data": "d", **options})


def test_the_shipped_file_says_what_the_defaults_are(tmp_path: Path) -> None:
    as_shipped = settings.load(str(SHIPPED), {})
    assert (as_shipped.data, as_shipped.host, as_shipped.port) == ("penstock-data/log", "127.0.0.1", 9092)
    uncommented = SHIPPED.read_text().replace("\n#", "\n").replace("\n ", "\n# ")
    lines = [line for line in uncommented.splitlines() if line.split("=")[0] in settings.KEYS]
    assert len(lines) > 10
    file = tmp_path / "all.properties"
    file.write_text("\n".join(lines))
    spelled_out = settings.load(str(file), {"data": "d"})
    silent = settings.load(None, {"data": "d"})
    assert [getattr(spelled_out, name) for name in settings.KEYS.values()] == [
        getattr(silent, name) for name in settings.KEYS.values()
    ]


def test_the_command_line_wins(tmp_path: Path) -> None:
    text = "listeners=PLAINTEXT://127.0.0.1:1111,CONTROLLER://127.0.0.1:2222\nlog.flush.policy=os\n"
    found = load(tmp_path, text, port=3333, flush_policy=None)
    assert (found.port, found.flush_policy) == (3333, "os")


def test_advertised_and_unknown_keys(tmp_path: Path) -> None:
    found = load(tmp_path, "advertised.listeners=PLAINTEXT://log.example.org:19092\nprocess.roles=broker\n")
    assert (found.advertised_host, found.advertised_port) == ("log.example.org", 19092)
    assert found.given["process.roles"] == "broker"


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem) as refused:
        load(tmp_path, "num.partitions=x\nreplication.factor.policy=maybe\n")
    assert "num.partitions=x" in str(refused.value)
    assert "cap, refuse" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("listeners=PLAINTEXT://:9092", "penstock.insecure=true"),
        ("listeners=SOMETHING", "PLAINTEXT://HOST:PORT"),
        ("just a word", "line 1"),
    ],
)
def test_what_cannot_be_is_refused_with_the_remedy(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(EnvironmentProblem, match=said):
        load(tmp_path, text)


def test_all_interfaces_when_asked_for(tmp_path: Path) -> None:
    assert load(tmp_path, "listeners=PLAINTEXT://:9092\npenstock.insecure=true\n").host == "0.0.0.0"


def test_no_file_and_no_directory() -> None:
    with pytest.raises(EnvironmentProblem, match="No such file"):
        settings.load("/nowhere/broker.properties", {"data": "d"})
    with pytest.raises(EnvironmentProblem, match="--data"):
        settings.load(None, {})
