"""``penstock broker``: the same as ``python -m core_log``, which takes the place of this process.

So a broker does not carry the command line's libraries in its memory.
"""

import os
import sys
from typing import Annotated

import typer


def broker(
    data: Annotated[str | None, typer.Option(metavar="DIR", help="Where topics are kept; made if need be.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on (9092); 0 takes any free one.")] = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on (127.0.0.1).")] = None,
    flush_policy: Annotated[
        str | None,
        typer.Option(
            help="ack: acks=all means on disk (the default). interval: every log.flush.interval.ms. os: left to the system."
        ),
    ] = None,
    config: Annotated[
        str | None, typer.Option(metavar="FILE", help="A file in the manner of Kafka's server.properties.")
    ] = None,
) -> None:
    """Run the log: a single-node Kafka broker."""
    given = {"--data": data, "--port": port, "--host": host, "--flush-policy": flush_policy, "--config": config}
    options = [text for name, value in given.items() if value is not None for text in (name, str(value))]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "core_log", *options])  # noqa: S606 the broker in our place
