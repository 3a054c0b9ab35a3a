"""``penstock demo``: runs and shows until Ctrl-C."""

from __future__ import annotations

import sys
import threading
import time

from rich.console import Console
from rich.live import Live

from connect.demo.observer import Observer
from connect.demo.screen import line, picture, things_to_try
from connect.demo.stage import Stage
from connect.demo.workload import Changes

_ROWS = 1000
_FOREVER = 10**12


def run_live(stage: Stage, per_second: float) -> int:
    """Changes rows at that rate and shows what becomes of them, until a KeyboardInterrupt. Gives the exit code."""
    stop = threading.Event()
    with stage:
        stage.deploy(_ROWS, flush_size=1000, rotate_ms=5000)
        changes = Changes(stage.postgres.connect)
        worker = threading.Thread(target=changes.make, args=(_FOREVER, per_second, stop), name="workload", daemon=True)
        observer = Observer(stage.bootstrap_servers, stage.store, stage.workers, lambda: changes.done)
        observer.start()
        worker.start()
        try:
            _show(stage, observer)
        except KeyboardInterrupt:
            stage.say("Stopping ...")
        finally:
            stop.set()
            worker.join(5)
            observer.stop()
    return 1 if observer.seen.failure else 0


def _show(stage: Stage, observer: Observer) -> None:
    if sys.stdout.isatty():
        console = Console()
        console.width -= len("^C")  # what the terminal writes behind the picture must not push it up a line
        stage.say(things_to_try(stage))
        with Live(picture(observer.seen, stage, console.height), console=console, refresh_per_second=4) as live:
            while True:  # a failure stays on the screen, to be read
                time.sleep(0.5)
                live.update(picture(observer.seen, stage, console.height))
    while not observer.seen.failure:
        time.sleep(2)
        stage.say(line(observer.seen))
    stage.say(observer.seen.failure)
