"""The task's end of the control pipe: what it was asked to do, and a way to say how it is."""

from __future__ import annotations

import os
import threading
from multiprocessing.connection import Connection

from connect.runtime.tasks.task_wire import Command, Message, encode


class Interrupted(Exception):
    """The task was asked to pause or stop while it was waiting for something else."""


class Control:
    """Commands are taken up between two steps of the task's loop and while it waits; messages may come from any thread."""

    def __init__(self, connection: Connection, *, paused: bool = False) -> None:
        self.paused = paused
        self.stopping = False
        self._connection = connection
        self._sending = threading.Lock()

    @property
    def interrupted(self) -> bool:
        """Whether the task should leave off what it is doing."""
        return self.paused or self.stopping

    def send(self, message: Message) -> None:
        try:
            with self._sending:
                self._connection.send_bytes(encode(message))
        except OSError:
            os._exit(1)  # the worker is gone, and nothing this task does may outlive it

    def take_commands(self, timeout_seconds: float = 0) -> bool:
        """Waits for a command, at most that long. True if one came."""
        came = False
        while self._connection.poll(0 if came else timeout_seconds):
            self._obey(Command(self._connection.recv_bytes().decode()))
            came = True
        return came

    def _obey(self, command: Command) -> None:
        if command is Command.STOP:
            self.stopping = True
        else:
            self.paused = command is Command.PAUSE
