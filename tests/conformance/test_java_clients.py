"""Apache Kafka's own tools: the Java clients, whose protocol code shares nothing with librdkafka's."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable

import pytest

from tests.fix_kafka import find_jars
from tests.fix_log import AnyLog

Tool = Callable[..., str]
GROUPS = "consumer.group.ConsumerGroupCommand"


@pytest.fixture(scope="session")
def tool() -> Tool:
    """``tool(name, *arguments, text="")``: what a class of org.apache.kafka.tools prints."""
    if shutil.which("java") is None:
        pytest.skip("needs Kafka's tools: there is no java on the PATH")
    jars = find_jars()
    if jars is None:
        pytest.skip("needs Kafka's tools: set PENSTOCK_KAFKA_LIBS, or run `make conformance`, which fetches them once")

    def run(name: str, *arguments: str, text: str = "") -> str:
        # Two compilers' worth of warm-up would cost more than these short lives need.
        java = ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*"]
        command = [*java, f"org.apache.kafka.tools.{name}", *arguments]
        ended = subprocess.run(command, input=text, capture_output=True, text=True, timeout=90, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    return run


def test_console_producer_and_consumer_share_lines_and_a_group(any_log: AnyLog, tool: Tool) -> None:
    server, topic, group = ("--bootstrap-server", any_log.bootstrap), any_log.topic, any_log.group
    tool("TopicCommand", *server, "--create", "--topic", topic, "--partitions", "3")
    lines = [f"k{n}:value {n}" for n in range(200)]
    keyed = ("--reader-property", "parse.key=true", "--reader-property", "key.separator=:")
    tool("ConsoleProducer", *server, "--topic", topic, "--compression-codec", "zstd", *keyed, text="\n".join(lines) + "\n")
    shown = ("--formatter-property", "print.key=true", "--formatter-property", "key.separator=:")
    limits = ("--from-beginning", "--max-messages", "200", "--timeout-ms", "30000")
    read = tool("consumer.ConsoleConsumer", *server, "--topic", topic, "--group", group, *shown, *limits)
    assert sorted(read.split("\n")[:-1]) == sorted(lines)

    described = [row.split() for row in tool(GROUPS, *server, "--describe", "--group", group).splitlines() if row]
    names = next(row for row in described if row[0] == "GROUP")
    rows = [dict(zip(names, row, strict=False)) for row in described if topic in row]
    assert sum(int(row["CURRENT-OFFSET"]) for row in rows) == 200
    assert {row["LAG"] for row in rows} == {"0"}
    assert group in tool(GROUPS, *server, "--list").split()
    reset = ("--group", group, "--topic", topic, "--reset-offsets", "--to-earliest", "--execute")
    tool(GROUPS, *server, *reset)
    again = tool("consumer.ConsoleConsumer", *server, "--topic", topic, "--group", group, *shown, *limits[1:])
    assert sorted(again.split("\n")[:-1]) == sorted(lines)
    tool(GROUPS, *server, "--delete", "--group", group)
    assert group not in tool(GROUPS, *server, "--list").split()
    tool("TopicCommand", *server, "--delete", "--topic", topic)
