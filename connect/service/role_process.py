"""One child process of a supervisor: its lines go to a log file, and one of them says that it is ready."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path

_LOG_BYTES = 5_000_000
_READY = " ready on "


@dataclass(frozen=True, slots=True)
class Role:
    """What to run: ``python -m module arguments``. It prints one line with ' ready on ' when it is ready."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()


class RoleProcess:
    """A running role. ``ready`` is set when it said so; ``last_lines`` are what it said last."""

    def __init__(self, role: Role, log_file: Path, on_line: Callable[[str], None]) -> None:
        self.role = role
        self.ready = threading.Event()
        self.last_lines: deque[str] = deque(maxlen=20)
        self._on_line = on_line
        self._log = RotatingFileHandler(log_file, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8")
        command = [sys.executable, "-m", "connect.service.supervised", str(os.getpid()), role.module, *role.arguments]
        # A session of its own: Ctrl-C reaches the supervisor alone, which then stops its roles in order.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self._reader = threading.Thread(target=self._read, name=f"lines-{role.name}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs. When it has ended, all its lines have been read."""
        code = self._process.poll()
        if code is not None:
            self._reader.join(1.0)
        return code

    def stop(self, timeout_seconds: float) -> bool:
        """Asks the process to end and waits; kills it after that. Was it the former?"""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return False
        finally:
            self._reader.join(1.0)
        return True

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for raw in lines:
                line = raw.decode(errors="replace").rstrip()
                self._log.emit(logging.makeLogRecord({"msg": "%s", "args": (line,)}))
                self.last_lines.append(line)
                if _READY in line:
                    self.ready.set()
                self._on_line(line)
        self._log.close()
