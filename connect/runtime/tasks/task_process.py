"""A task as its worker sees it: a child process, commands down, events up, and an end that is always told."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress

from connect.runtime.processes import forkserver
from connect.runtime.tasks import control_reader, task_child
from connect.runtime.tasks.task import TaskEvent, TaskExited, TaskSpec
from connect.runtime.tasks.task_wire import Command, TaskLog, decode

OnEvent = Callable[["TaskProcess", TaskEvent], None]


class TaskProcess:
    """One task's process. ``on_event`` runs on the reader thread and must only enqueue; TaskExited comes last."""

    def __init__(self, spec: TaskSpec, on_event: OnEvent) -> None:
        self.spec = spec
        self._on_event = on_event
        context = forkserver.context()
        self._connection, self._childs_end = context.Pipe(duplex=True)
        self._process = context.Process(
            target=task_child.main,
            args=(spec, self._childs_end, logging.getLogger().getEffectiveLevel()),
            name=f"{spec.connector}|task-{spec.task}",
        )
        self._sending = threading.Lock()
        self._exit_code: int | None = None

    def start(self) -> None:
        """Forks the process; some tens of milliseconds."""
        forkserver.start(self._process)
        self._childs_end.close()
        control_reader.shared().watch(self._process.sentinel, self._ended)
        control_reader.shared().watch(self._connection.fileno(), self._received)

    @property
    def pid(self) -> int | None:
        """None before the start."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """False before the start and once TaskExited has been told."""
        return self._process.pid is not None and self._exit_code is None

    def pause(self) -> None:
        """Asks; PAUSED is told once what was read is committed."""
        self._send(Command.PAUSE)

    def resume(self) -> None:
        """Asks to go on after a pause."""
        self._send(Command.RESUME)

    def stop(self) -> None:
        """Asks to commit and end. Whoever asks decides how long to wait before :meth:`kill`."""
        self._send(Command.STOP)

    def kill(self) -> None:
        """Ends it at once, whatever it is doing: it starts again from the last committed offsets."""
        if self.alive:
            with suppress(ProcessLookupError):
                self._process.kill()

    def _send(self, command: Command) -> None:
        with self._sending, suppress(OSError):  # already gone: TaskExited says so
            self._connection.send_bytes(command.encode())

    def _received(self) -> bool:
        """On the reader thread: one message. False at the end of the pipe."""
        try:
            message = decode(self._connection.recv_bytes())
        except (EOFError, OSError):
            return False
        if isinstance(message, TaskLog):
            self._log(message)
        else:
            self._on_event(self, message)
        return True

    def _ended(self) -> bool:
        """On the reader thread: the process is gone. What it said before comes first."""
        exit_code = forkserver.exit_code(self._process)
        if exit_code is None:
            return True
        if exit_code == forkserver.LOST and self.pid:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)  # the kernel is doing so too; where it cannot, this does
        with suppress(OSError):
            while self._connection.poll(0) and self._received():
                pass
        self._exit_code = exit_code
        self._on_event(self, TaskExited(exit_code))
        return False

    def _log(self, line: TaskLog) -> None:
        logger = logging.getLogger(line.logger)
        if logger.isEnabledFor(line.level):
            record = logger.makeRecord(
                line.logger, line.level, "", 0, line.message, (), None, extra={"task": self._process.name}
            )
            record.created = line.created
            logger.handle(record)
