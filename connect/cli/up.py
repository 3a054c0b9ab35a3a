"""``penstock up``: a log and workers on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def up(
    data: Annotated[Path, typer.Option(help="Where everything is kept.")] = Path("penstock-data"),
    kafka_port: Annotated[int, typer.Option(help="The log's port, for Kafka clients.", min=0, max=65535)] = 9092,
    connect_port: Annotated[
        int, typer.Option(help="The first worker's REST port; further workers take the next ones.", min=0, max=65535)
    ] = 8083,
    workers: Annotated[int, typer.Option(help="How many workers.", min=1, max=64)] = 1,
) -> None:
    """Run the log and the workers, here, until Ctrl-C."""
    from connect.cli.local_cluster import run  # loads what `penstock --help` does not need

    raise typer.Exit(run(data, kafka_port, connect_port, workers))
