"""Runs several roles on one machine: starts them in order, starts again what dies, stops them in reverse order."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from connect.service.errors import ENVIRONMENT_EXIT_CODE, EnvironmentProblem
from connect.service.role_process import Role, RoleProcess

__all__ = ["Role", "Supervisor"]

_TICK_SECONDS = 0.05
_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10.0
_WELL_SECONDS = 30.0  # a role that has run this long begins anew with short pauses
_START_SECONDS = 60.0
_STOP_SECONDS = 15.0
_WORTH_SHOWING = re.compile(r" (WARNING|ERROR|CRITICAL) ")


@dataclass(slots=True)
class _Place:
    """A role, its process, and when to start it again."""

    role: Role
    process: RoleProcess
    started_at: float
    pause_seconds: float = _FIRST_PAUSE_SECONDS
    restart_at: float | None = None


class Supervisor:
    """Keeps roles running. ``say`` gets one line for each event, and the roles' warnings and errors, from any thread.

    Roles write their logs to ``log_dir/{name}.log``. When this process ends, however it ends, the kernel ends the roles.
    """

    def __init__(self, roles: Sequence[Role], *, log_dir: Path, say: Callable[[str], None]) -> None:
        self._roles = list(roles)
        self._log_dir = log_dir
        self._say = say
        self._places: dict[str, _Place] = {}
        self._stopping = threading.Event()
        self._started = threading.Event()
        self._failure: Exception | None = None
        # The death signal follows the thread that starts a process: one thread starts all, and lives as long as they do.
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def start(self) -> None:
        """Returns once every role is ready, each started when the one before it was.

        Raises EnvironmentProblem with the role's own words where one cannot start; then nothing runs.
        """
        self._log_dir.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        self._started.wait()
        if self._failure:
            self.stop()
            raise self._failure

    def stop(self) -> None:
        """Stops the roles, the last one first, and returns when all have ended."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def pid(self, name: str) -> int:
        """The process of a role at the moment."""
        return self._places[name].process.pid

    def _run(self) -> None:
        try:
            for role in self._roles:
                self._start_first_time(role)
                if self._stopping.is_set():
                    break
            self._started.set()
            while not self._stopping.wait(_TICK_SECONDS):
                for place in self._places.values():
                    self._look_after(place)
        except (EnvironmentProblem, OSError) as error:
            self._failure = error
        finally:
            for place in reversed(self._places.values()):
                if not place.process.stop(_STOP_SECONDS):
                    self._say(f"{place.role.name} did not stop within {_STOP_SECONDS:g} s and was killed.")
            self._started.set()

    def _start_first_time(self, role: Role) -> None:
        place = self._places[role.name] = _Place(role, self._spawn(role), time.monotonic())
        deadline = place.started_at + _START_SECONDS
        while not place.process.ready.wait(_TICK_SECONDS) and not self._stopping.is_set():
            code = place.process.exit_code
            if code is not None:
                raise EnvironmentProblem(self._why(place.process, code))
            if time.monotonic() > deadline:
                log = self._log_file(role)
                raise EnvironmentProblem(f"{role.name} was not ready within {_START_SECONDS:g} s. Its log: {log}")

    def _why(self, process: RoleProcess, code: int) -> str:
        """A role that is hindered by its surroundings ends with one clear line; another one with a trace."""
        lines = [line for line in process.last_lines if line.strip()]
        if code == ENVIRONMENT_EXIT_CODE and lines:
            return f"{process.role.name} cannot start: {lines[-1]}"
        last = f": {lines[-1]}" if lines else ""
        return f"{process.role.name} ended with exit code {code}{last}. Its log: {self._log_file(process.role)}"

    def _spawn(self, role: Role) -> RoleProcess:
        return RoleProcess(role, self._log_file(role), lambda line: self._show(role, line))

    def _log_file(self, role: Role) -> Path:
        return self._log_dir / f"{role.name.replace(' ', '-')}.log"

    def _show(self, role: Role, line: str) -> None:
        if _WORTH_SHOWING.search(line) and not self._stopping.is_set():
            self._say(f"{role.name}: {line}")

    def _look_after(self, place: _Place) -> None:
        now = time.monotonic()
        if place.restart_at is not None:
            if now >= place.restart_at:
                place.restart_at, place.started_at = None, now
                place.process = self._spawn(place.role)
            return
        code = place.process.exit_code
        if code is None:
            return
        if now - place.started_at > _WELL_SECONDS:
            place.pause_seconds = _FIRST_PAUSE_SECONDS
        place.restart_at = now + place.pause_seconds
        how = f"was killed by signal {-code}" if code < 0 else self._why(place.process, code)
        how = f"{place.role.name} {how}" if code < 0 else how
        self._say(f"{how}. Starting it again in {place.pause_seconds:g} s.")
        place.pause_seconds = min(place.pause_seconds * 2, _LONGEST_PAUSE_SECONDS)
