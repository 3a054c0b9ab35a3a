"""``penstock demo``: PostgreSQL changes through the log into objects, live."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer


def demo(
    once: Annotated[bool, typer.Option("--once", help="A bounded run that checks itself: exit code 0 or 1.")] = False,
    s3: Annotated[bool, typer.Option("--s3", help="Build versitygw with Go (once) and write to a real S3 server.")] = False,
    s3_endpoint: Annotated[
        str | None, typer.Option(help="Any S3 endpoint; keys from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
    ] = None,
    bucket: Annotated[str, typer.Option(help="The bucket; made if it is not there.")] = "penstock-demo",
    data: Annotated[Path | None, typer.Option(help="An empty folder for everything (default: one in penstock-data).")] = None,
    rate: Annotated[float, typer.Option(help="Changes per second.", min=0.1)] = 20.0,
    workers: Annotated[int, typer.Option(help="How many workers.", min=1, max=16)] = 2,
    kafka_port: Annotated[int, typer.Option(help="The log's port; 0: any that is free.", min=0, max=65535)] = 0,
    connect_port: Annotated[int, typer.Option(help="The first worker's port; 0: any that is free.", min=0, max=65535)] = 0,
) -> None:
    """Show real PostgreSQL changes flow through the log into objects, until Ctrl-C."""
    from connect.cli.demo_run import Options, run  # loads what `penstock --help` does not need

    folder = data or Path("penstock-data") / time.strftime("demo-%Y%m%d-%H%M%S")
    options = Options(once, s3, s3_endpoint, bucket, folder.absolute(), rate, workers, kafka_port, connect_port)
    raise typer.Exit(run(options))
