"""The pipeline in the terminal: a picture that is kept current, or lines where there is no terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from connect.demo.observer import Observation
from connect.demo.pipeline import SINK, SOURCE, TOPIC
from connect.demo.stage import Stage

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


def picture(seen: Observation, stage: Stage) -> RenderableType:
    """The whole screen."""
    parts = [_stages(seen, stage), _latest(seen), _objects(seen, stage), _where(stage)]
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
        f"{median} ms after the commit (median)" if median is not None else "waiting for changes",
        f"the sink has committed offset {seen.stored_through:,}",
    )
    told = "  ".join(f"{name}: {', '.join(seen.states.get(name, ['starting']))}" for name in (SOURCE, SINK))
    return Panel(table, title="penstock demo", subtitle=told, border_style="cyan")


def _latest(seen: Observation) -> Panel:
    table = Table(box=None, expand=True, pad_edge=False)
    for heading in ("offset", "change", "id", "customer", "item", "amount", "status", "ms after commit"):
        table.add_column(heading, justify="right" if heading in ("offset", "id", "amount", "ms after commit") else "left")
    for change in reversed(list(seen.latest)):
        name, style = _OPS.get(change.op, (change.op, ""))
        cells = [str(change.row.get(column) or "") for column in ("id", "customer", "item", "amount", "status")]
        shown = "" if change.op == "r" else str(change.latency_ms)
        table.add_row(str(change.offset), Text(name, style=style), *cells, shown)
    return Panel(table, title="latest records", border_style="dim")


def _objects(seen: Observation, stage: Stage) -> Panel:
    table = Table.grid(padding=(0, 3))
    for item in sorted(seen.objects)[-4:]:
        table.add_row(item.key, f"{item.size:,} bytes")
    return Panel(table, title=f"newest objects in {stage.store.description}", border_style="dim")


def _where(stage: Stage) -> Panel:
    rest = stage.urls[0]
    server = stage.postgres
    database = f"PGPASSWORD={server.password} psql -h {server.host} -p {server.port} -U {server.user}"
    statement = "update orders set status = 'mine' where id = 1"
    table = Table.grid(padding=(0, 2))
    table.add_row("connectors", f"curl '{rest}/connectors?expand=status'")
    table.add_row("records", f"kcat -b {stage.bootstrap_servers} -t {TOPIC} -C -o -5 -e")
    table.add_row("change a row", f'{database} -c "{statement}"')
    table.add_row("data, logs", str(stage.data))
    table.add_row("", "Ctrl-C stops everything; the data stays")
    return Panel(table, title="try it", border_style="dim")
