"""A real S3 server: versitygw over a folder. Skipped aloud where the program is missing (``make tools`` builds it)."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

BUILT_HERE = Path(__file__).parent.parent / ".cache" / "bin" / "versitygw"


def find_versitygw() -> str | None:
    """From ``PENSTOCK_VERSITYGW``, the PATH, or the copy that ``make tools`` built."""
    return (
        os.environ.get("PENSTOCK_VERSITYGW") or shutil.which("versitygw") or (str(BUILT_HERE) if BUILT_HERE.exists() else None)
    )


@dataclass
class S3Server:
    """One gateway; ``stop`` and ``start`` again make an outage, the objects stay."""

    program: str
    folder: Path
    access_key: str = "test-access"
    secret_key: str = "test-secret"
    port: int = 0
    _names: Iterator[int] = field(default_factory=itertools.count)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        if not self.port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
        (self.folder / "objects").mkdir(parents=True, exist_ok=True)
        (self.folder / "metadata").mkdir(exist_ok=True)
        command = [self.program, "--port", f"127.0.0.1:{self.port}", "--quiet", "posix"]
        command += ["--sidecar", str(self.folder / "metadata"), str(self.folder / "objects")]
        keys = {"ROOT_ACCESS_KEY": self.access_key, "ROOT_SECRET_KEY": self.secret_key}
        with (self.folder / "versitygw.log").open("ab") as log:
            self._process = subprocess.Popen(command, env={**os.environ, **keys}, stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                printed = (self.folder / "versitygw.log").read_text()[-1000:]
                assert self._process.poll() is None, f"versitygw ended: {printed}"
                assert time.monotonic() < deadline, f"versitygw does not listen: {printed}"
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def make_client(self) -> Any:
        settings = Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, connect_timeout=5, read_timeout=20)
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="us-east-1",
            config=settings,
        )

    @property
    def client(self) -> Any:
        """A boto3 client."""
        return self.make_client()

    def bucket(self) -> str:
        """A new, empty bucket."""
        name = f"bucket-{next(self._names)}-{time.time_ns() % 10**6}"
        self.client.create_bucket(Bucket=name)
        return name


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """A real S3 server for the whole run."""
    program = find_versitygw()
    if program is None:
        pytest.skip("needs a real S3 server: versitygw is not on the PATH (`make tools` builds it with Go)")
    with tempfile.TemporaryDirectory(prefix="penstock-test-s3-") as folder:
        server = S3Server(program, Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()
