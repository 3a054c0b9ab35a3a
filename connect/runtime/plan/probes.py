"""Short-lived processes for plugin code that runs outside tasks: validation, partitions, descriptions.

Plugin code may hang, crash, exit or eat memory. In a probe that costs its deadline and nothing else: the worker's process
asks, waits, kills what is late, and can say which connector it was.
"""

from __future__ import annotations

import logging
import signal
import threading
import traceback
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from connect.api import ConfigError, ConfigProblem, ConnectError, RetriableError
from connect.runtime.plan import probe_child
from connect.runtime.plan.connector_plan import InvalidConfig
from connect.runtime.plan.plugins import Kind, Plugins, UnknownPlugin
from connect.runtime.plan.probe_child import Outline, Validation
from connect.runtime.processes import forkserver
from connect.service.settings import WorkerSettings

T = TypeVar("T")
_logger = logging.getLogger("connect.probes")

VALIDATE_SECONDS = 30.0
PARTITIONS_SECONDS = 30.0
DESCRIBE_SECONDS = 10.0

# Fewer than a listener has threads: while four plugins hang, everything else is still answered. Outlines, which the herder
# asks for, have slots of their own, so that connectors which hang there do not keep anybody from validating.
AT_ONCE = 4
WAIT_FOR_SLOT_SECONDS = 3.0
_slots = threading.BoundedSemaphore(AT_ONCE)
_outline_slots = threading.BoundedSemaphore(AT_ONCE)


class ProbeFailed(Exception):
    """Plugin code did not answer: it hung, crashed, or raised what no plugin should. The message says which and how."""


def validate(config: Mapping[str, str], settings: WorkerSettings, timeout_seconds: float = VALIDATE_SECONDS) -> Validation:
    """Would this configuration run? Raises UnknownPlugin for its class.

    A check that hangs or breaks is one more problem, on ``connector.class``; :class:`ProbeFailed` where even reading the
    configuration did not end.
    """
    name = config["connector.class"]
    subject = f"Connector {name} was being checked"
    try:
        return run(probe_child.validate, dict(config), settings, subject=subject, timeout_seconds=timeout_seconds)
    except ProbeFailed as error:
        subject = f"The configuration of connector {name} was being read"
        return run(
            probe_child.validate, dict(config), settings, [ConfigProblem("connector.class", str(error))],
            subject=subject, timeout_seconds=timeout_seconds,
        )  # fmt: skip


def outline(config: Mapping[str, str], settings: WorkerSettings, timeout_seconds: float = PARTITIONS_SECONDS) -> Outline:
    """What is to be dealt out. Raises InvalidConfig, RetriableError (ask again later) or :class:`ProbeFailed`."""
    subject = f"Connector {config.get('connector.class', '')} was being asked for its partitions"
    return run(
        probe_child.outline,
        dict(config),
        settings,
        subject=subject,
        timeout_seconds=timeout_seconds,
        slots=_outline_slots,
    )


def describe(plugin: str, timeout_seconds: float = DESCRIBE_SECONDS) -> list[dict[str, Any]] | None:
    """The config definitions of a plugin; None where there is none of that name."""
    return run(probe_child.describe, plugin, subject=f"Plugin {plugin} was being described", timeout_seconds=timeout_seconds)


def catalog(timeout_seconds: float = DESCRIBE_SECONDS) -> list[dict[str, str]]:
    """All plugins that can be imported; one that cannot is logged and left out."""
    plugins = Plugins()
    kinds: tuple[Kind, ...] = ("connector", "transformation", "converter")
    entries = [(kind, name) for kind in kinds for name in plugins.names(kind)]
    try:
        return _listed(entries, timeout_seconds)
    except (ProbeFailed, ConnectError):
        return [plugin for entry in entries for plugin in _listed_alone(entry, timeout_seconds)]


def _listed(entries: list[tuple[Kind, str]], timeout_seconds: float) -> list[dict[str, str]]:
    names = ", ".join(name for _, name in entries)
    return run(probe_child.catalog, entries, subject=f"Import of {names}", timeout_seconds=timeout_seconds)


def _listed_alone(entry: tuple[Kind, str], timeout_seconds: float) -> list[dict[str, str]]:
    try:
        return _listed([entry], timeout_seconds)
    except (ProbeFailed, ConnectError) as error:
        _logger.warning("A plugin is left out: %s", error)
        return []


def run(
    function: Callable[..., T],
    *arguments: Any,
    subject: str,
    timeout_seconds: float,
    slots: threading.BoundedSemaphore = _slots,
) -> T:
    """Calls a module-level function in a process of its own.

    Gives its result, or raises the ConnectError that it raised; RetriableError where others are being served;
    :class:`ProbeFailed` for everything else, whose message begins with ``subject`` (``Connector x was being checked``).
    """
    if not slots.acquire(timeout=WAIT_FOR_SLOT_SECONDS):
        raise RetriableError(f"{subject} when {AT_ONCE} other checks were under way, which take long.")
    try:
        return _run(function, arguments, subject, timeout_seconds)
    finally:
        slots.release()


def _run(function: Callable[..., T], arguments: tuple[Any, ...], subject: str, timeout_seconds: float) -> T:
    context = forkserver.context()
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(theirs, function, arguments), daemon=True, name="probe")
    process.start()
    theirs.close()
    try:
        if not ours.poll(timeout_seconds):
            raise ProbeFailed(
                f"{subject} and has not answered for {timeout_seconds:g} s; it was stopped. "
                "Does it wait for something that does not answer?"
            )
        outcome = ours.recv()
    except EOFError:
        process.join(1)
        raise ProbeFailed(f"{subject} when its process ended: {_how_it_ended(process.exitcode)}.") from None
    finally:
        process.kill()
        process.join()
        process.close()
        ours.close()
    if isinstance(outcome, Exception):
        raise outcome
    result: T = outcome
    return result


def _how_it_ended(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"killed by {signal.Signals(-exit_code).name}"
    return f"exit code {exit_code}"


def _child(answers: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        outcome = function(*arguments)
    except (InvalidConfig, UnknownPlugin) as error:
        outcome = error
    except ConfigError as error:  # perhaps of a plugin's own class: the worker could not unpickle it without the plugin
        outcome = ConfigError(str(error), error.key)
    except RetriableError as error:
        outcome = RetriableError(str(error))
    except Exception as error:  # noqa: BLE001 - plugin code ends here: what it raised is told, with its trace
        trace = "".join(traceback.format_exception(error)).strip()
        outcome = ProbeFailed(f"The plugin raised {type(error).__name__}: {error}\n{trace}")
    answers.send(outcome)
    answers.close()
