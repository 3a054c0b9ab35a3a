"""``penstock demo``: runs and shows until Ctrl-C."""

from __future__ import annotations

import sys
import threading

from rich.console import Console
from rich.live import Live

from connect.demo.observer import Observer
from connect.demo.screen import line, picture
from connect.demo.stage import Stage
from connect.demo.workload import Changes

_ROWS = 1000
_FOREVER = 10**12


def run_live(stage: Stage, per_second: float, stop: threading.Event) -> int:
    """Changes rows at that rate and shows what becomes of them, until ``stop``."""
    with stage:
        stage.deploy(_ROWS, flush_size=1000, rotate_ms=5000)
        changes = Changes(stage.postgres.connect)
        worker = threading.Thread(target=changes.make, args=(_FOREVER, per_second, stop), name="workload", daemon=True)
        observer = Observer(stage.bootstrap_servers, stage.store, stage.workers, lambda: changes.done)
        observer.start()
        worker.start()
        try:
            _show(stage, observer, stop)
        finally:
            stop.set()
            worker.join(5)
            observer.stop()
        stage.say("Stopping ...")
    return 1 if observer.seen.failure else 0


def _show(stage: Stage, observer: Observer, stop: threading.Event) -> None:
    if not sys.stdout.isatty():
        while not stop.wait(2) and not observer.seen.failure:
            stage.say(line(observer.seen))
        if observer.seen.failure:
            stage.say(observer.seen.failure)
        return
    with Live(picture(observer.seen, stage), console=Console(), refresh_per_second=4, screen=False) as live:
        while not stop.wait(0.5):
            live.update(picture(observer.seen, stage))
