"""``penstock worker``: one worker of a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def worker(
    config: Annotated[Path, typer.Option(help="A properties file, as Kafka Connect's connect-distributed.properties.")],
    log_level: Annotated[str, typer.Option(help="DEBUG, INFO, WARNING or ERROR.")] = "INFO",
    log_json: Annotated[bool, typer.Option("--log-json", help="Write the log as JSON, one object a line.")] = False,
) -> None:
    """Run one worker: the REST API and its share of the cluster's tasks."""
    from connect.cli.worker_service import run  # loads what `penstock --help` does not need

    raise typer.Exit(run(config, log_level, log_json=log_json))
