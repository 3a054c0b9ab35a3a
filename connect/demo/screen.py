"""The pipeline in the terminal: a picture that is kept current, or lines where there is no terminal."""

from __future__ import annotations

import shutil

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from connect.demo.object_store import relative_to_here
from connect.demo.observer import Observation
from connect.demo.pipeline import SINK, SOURCE, TOPIC
from connect.demo.stage import Stage

_OTHER_LINES = 18  # of the picture and of the line below it, where a terminal has 80 columns
_COLUMNS = ("id", "customer", "item", "amount", "status")
_OPS = {"r": ("snapshot", "dim"), "c": ("insert", "green"), "u": ("update", "yellow"), "d": ("delete", "red")}


def line(seen: Observation) -> str:
    """One line for a log."""
    changes, records = seen.rates()
    median = seen.median_latency_ms()
    return (
        f"{seen.changes} changes ({changes:.0f}/s) -> {seen.records} records ({records:.0f}/s"
        f"{f', {median} ms behind' if median is not None else ''}) -> {len(seen.objects)} objects, "
        f"{sum(item.size for item in seen.objects):,} bytes"
    )


def picture(seen: Observation, stage: Stage, height: int) -> RenderableType:
    """What changes, in a terminal of so many lines."""
    parts = [_stages(seen, stage), _latest(seen, max(2, height - _OTHER_LINES)), _objects(seen, stage)]
    if seen.failure:
        parts.insert(0, Panel(Text(seen.failure, style="red"), title="failed", border_style="red"))
    return Group(*parts)


def _stages(seen: Observation, stage: Stage) -> Panel:
    changes, records = seen.rates()
    median = seen.median_latency_ms()
    table = Table.grid(padding=(0, 3), expand=True)
    for _ in range(3):
        table.add_column(ratio=1)
    table.add_row("[b]PostgreSQL[/b] public.orders", f"[b]log[/b] {TOPIC}", "[b]objects[/b]")
    table.add_row(
        f"{seen.changes:,} changes, {changes:.0f}/s",
        f"{seen.records:,} records, {records:.0f}/s",
        f"{len(seen.objects):,} objects, {sum(item.size for item in seen.objects) / 1024:,.0f} KiB",
    )
    table.add_row(
        f"on port {stage.postgres.port}",
        f"{median} ms behind (median)" if median is not None else "waiting for changes",
        f"committed up to offset {seen.stored_through:,}",
    )
    told = "  ".join(f"{name}: {', '.join(seen.states.get(name, ['starting']))}" for name in (SOURCE, SINK))
    return Panel(table, title="penstock demo", subtitle=told, border_style="cyan")


def _latest(seen: Observation, rows: int) -> Panel:
    table = Table(box=None, expand=True, pad_edge=False)
    for heading in ("offset", "change", "id", "customer", "item", "amount", "status", "lag, ms"):
        table.add_column(heading, justify="right" if heading in ("offset", "id", "amount", "lag, ms") else "left", no_wrap=True)
    for change in list(reversed(seen.latest))[:rows]:
        name, style = _OPS.get(change.op, (change.op, ""))
        known = ("id",) if change.op == "d" else _COLUMNS  # of a row that is gone its key is known
        cells = [str(change.row.get(column) or "") if column in known else "" for column in _COLUMNS]
        shown = "" if change.op == "r" else str(change.latency_ms)
        table.add_row(str(change.offset), Text(name, style=style), *cells, shown)
    return Panel(table, title="latest records", border_style="dim")


def _objects(seen: Observation, stage: Stage) -> Panel:
    table = Table.grid(padding=(0, 3))
    for item in sorted(seen.objects)[-4:]:
        table.add_row(item.key, f"{item.size:,} bytes")
    return Panel(table, title=f"newest objects in {stage.store.description}", border_style="dim")


def things_to_try(stage: Stage) -> str:
    """Commands for another terminal: plain lines, so that they can be copied."""
    server = stage.postgres
    psql = "psql" if shutil.which("psql") else relative_to_here(server.programs / "psql")
    statement = "update orders set status = 'mine' where id = 1"
    database = f"PGPASSWORD={server.password} {psql} -h {server.host} -p {server.port} -U {server.user}"
    return f"""
Try in another terminal:
  curl '{stage.urls[0]}/connectors?expand=status'
  kcat -b {stage.bootstrap_servers} -t {TOPIC} -C -o -5 -e
  {database} -c "{statement}"
Ctrl-C stops everything; the data stays.
"""
