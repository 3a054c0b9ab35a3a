"""A worker as a process: settings, listener, runtime, REST, signals and exit codes."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

from connect.api import ConfigError
from connect.rest.app import create_app
from connect.runtime.worker import Worker
from connect.service import logs
from connect.service.errors import ENVIRONMENT_EXIT_CODE, EnvironmentProblem
from connect.service.listeners import Server
from connect.service.log_watch import log_watch
from connect.service.settings import WorkerSettings

_logger = logging.getLogger(__name__)
_CONFIG_EXIT_CODE = 2
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Stop(BaseException):
    """A signal asked this process to end."""


_Handler = Callable[[int, FrameType | None], NoReturn]


def _end_now(_number: int, _frame: FrameType | None) -> NoReturn:
    """Before the worker is ready it may wait for brokers in many threads, and it holds nothing that wants a clean end."""
    _logger.info("Stopped before it was ready")
    logging.shutdown()
    os._exit(0)


def _end_in_order(_number: int, _frame: FrameType | None) -> NoReturn:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # the stop is under way
    raise _Stop


def _on_signals(handler: _Handler) -> None:
    for number in _SIGNALS:
        signal.signal(number, handler)


def run(config: Path, log_level: str, *, log_json: bool) -> int:
    """Runs until SIGTERM or SIGINT. Returns the exit code: 2 for wrong settings, 3 for surroundings that do not allow it."""
    logs.configure(log_level, log_json)
    try:
        settings = WorkerSettings.load(config)
    except ConfigError as error:
        print(error, file=sys.stderr)  # noqa: T201 - for the user at the terminal
        return _CONFIG_EXIT_CODE
    for warning in settings.warnings:
        _logger.warning("%s", warning)
    _on_signals(_end_now)
    try:
        _serve(settings)
    except EnvironmentProblem as error:
        print(error, file=sys.stderr)  # noqa: T201 - for the user at the terminal
        return ENVIRONMENT_EXIT_CODE
    except _Stop:
        _logger.info("Stopped")
    return 0


def _serve(settings: WorkerSettings) -> None:
    """The ports are bound first: one that is taken is known at once, and one that was left open gets its number."""
    servers = [Server(url) for url in settings.listeners]
    settings = settings.with_bound_port(servers[0].port)
    worker = Worker(settings)
    watch = log_watch(settings)
    try:
        watch.start()
        worker.start()
        app = create_app(worker.herder, settings)
        for server in servers:
            server.serve(app)
        _on_signals(_end_in_order)
        print(f"worker ready on {settings.advertised_url}", flush=True)  # noqa: T201 - the supervisor waits for it
        threading.Event().wait()
    finally:
        for server in servers:
            server.stop()
        worker.stop()
        watch.stop()
