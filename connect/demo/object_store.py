"""Where the demo's objects go: a real S3 server where there is one, otherwise a folder with the same keys."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from connect.demo.child_process import dies_with_us, free_port, stop

VERSITYGW = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"


class StoreMissing(Exception):
    """The store that was asked for cannot be had; the text says why and what to do."""


class StoredObject(NamedTuple):
    """One object: its key and its size in bytes."""

    key: str
    size: int


def relative_to_here(path: Path) -> Path:
    """As short as a person at this terminal can use it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


class DemoStore(Protocol):
    """What the demo needs of a store. It reads with clients of its own, none of the connector's code."""

    description: str
    note: str
    """What else is worth knowing, once."""

    def start(self) -> None:
        """Makes the store ready to be written to."""
        ...

    def stop(self) -> None:
        """Ends what was started."""
        ...

    def sink_keys(self) -> Mapping[str, str]:
        """The part of the sink's configuration that names the store."""
        ...

    def list(self) -> list[StoredObject]:
        """All objects."""
        ...

    def read(self, key: str) -> bytes:
        """One object's content."""
        ...


class FolderStore:
    """Objects as files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.description = f"the folder {relative_to_here(folder)}"
        self.note = "no S3 server: have versitygw on the PATH, or build it once with --s3"

    def start(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)

    def stop(self) -> None:
        """Nothing runs."""

    def sink_keys(self) -> Mapping[str, str]:
        return {"store.url": f"file://{self._folder}"}

    def list(self) -> list[StoredObject]:
        files = (path for path in self._folder.rglob("*.json*") if not path.name.startswith("."))
        return [StoredObject(str(path.relative_to(self._folder)), path.stat().st_size) for path in files]

    def read(self, key: str) -> bytes:
        return (self._folder / key).read_bytes()


@dataclass
class BucketStore:
    """A bucket at any endpoint."""

    endpoint: str
    bucket: str
    access_key: str
    secret_key: str
    region: str = "us-east-1"
    description: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        self.description = self.description or f"the bucket {self.bucket} at {self.endpoint}"

    def start(self) -> None:
        try:
            self._make_bucket()
        except (ClientError, BotoCoreError) as error:
            raise StoreMissing(f"The bucket {self.bucket} at {self.endpoint} cannot be used: {error}") from error

    def stop(self) -> None:
        """It is not ours."""

    def sink_keys(self) -> Mapping[str, str]:
        return {
            "store.url": self.endpoint,
            "s3.bucket.name": self.bucket,
            "s3.region": self.region,
            "aws.access.key.id": self.access_key,
            "aws.secret.access.key": self.secret_key,
        }

    def list(self) -> list[StoredObject]:
        pages = self._client().get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [StoredObject(item["Key"], item["Size"]) for page in pages for item in page.get("Contents", ())]

    def read(self, key: str) -> bytes:
        content: bytes = self._client().get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return content

    def _make_bucket(self) -> None:
        client = self._client()
        try:
            client.head_bucket(Bucket=self.bucket)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("404", "NoSuchBucket"):
                raise
            client.create_bucket(Bucket=self.bucket)

    def _client(self) -> Any:
        if not hasattr(self, "_made"):
            self._made = boto3.client(
                "s3",
                endpoint_url=self.endpoint,
                region_name=self.region,
                aws_access_key_id=self.access_key,
                aws_secret_access_key=self.secret_key,
                config=Config(s3={"addressing_style": "path"}),
            )
        return self._made


@dataclass
class GatewayStore(BucketStore):
    """versitygw, started here: a real S3 server over a folder."""

    program: str = ""
    folder: Path = field(default_factory=Path)
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        for name in ("objects", "metadata"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        where = self.endpoint.removeprefix("http://")
        command = [self.program, "--port", where, "--quiet", "posix", "--sidecar", str(self.folder / "metadata")]
        keys = {"ROOT_ACCESS_KEY": self.access_key, "ROOT_SECRET_KEY": self.secret_key}
        with (self.folder / "versitygw.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, str(self.folder / "objects")],
                env={**os.environ, **keys},
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=dies_with_us(signal.SIGKILL),  # noqa: PLW1509 - one system call, before other threads matter
            )
        host, port = where.split(":")
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection((host, int(port)), 1).close()
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise StoreMissing(f"versitygw did not start; it said: {self.folder / 'versitygw.log'}") from None
                time.sleep(0.05)
            else:
                break
        super().start()

    def stop(self) -> None:
        stop(self._process, signal.SIGTERM)


def build_versitygw(cache: Path, say: Callable[[str], None]) -> str:
    """The program, built with Go the first time (about two minutes)."""
    program = cache / "versitygw"
    if program.exists():
        return str(program)
    go = shutil.which("go")
    if go is None:
        raise StoreMissing("--s3 builds versitygw with Go, and there is no go on the PATH. Without --s3 a folder is used.")
    cache.mkdir(parents=True, exist_ok=True)
    say(f"Building versitygw with Go into {cache} (once, about two minutes; 80 MB)")
    command = [go, "install", "-v", VERSITYGW]
    environment = {**os.environ, "GOBIN": str(cache)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as build:
        assert build.stdout
        tail = [""]
        for number, line in enumerate(build.stdout, start=1):
            tail = [*tail[-4:], line.decode(errors="replace").strip()]
            if number % 50 == 0:
                say(f"  {number} packages, now {tail[-1]}")
    if build.returncode != 0:
        raise StoreMissing("versitygw could not be built: " + " | ".join(tail))
    return str(program)


def choose_store(
    folder: Path, *, build: bool, endpoint: str | None, bucket: str, cache: Path, say: Callable[[str], None]
) -> DemoStore:
    """An endpoint that was named; else versitygw, found or built; else a folder."""
    if endpoint:
        access, secret = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
        if not access or not secret:
            raise StoreMissing("--s3-endpoint needs its keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
        return BucketStore(endpoint, bucket, access, secret, os.environ.get("AWS_REGION", "us-east-1"))
    program = shutil.which("versitygw") or (build_versitygw(cache, say) if build else None)
    if program is None and (cache / "versitygw").exists():
        program = str(cache / "versitygw")
    if program is None:
        return FolderStore(folder.absolute())
    url = f"http://127.0.0.1:{free_port()}"
    told = f"the bucket {bucket} of versitygw at {url}"
    note = f"a real S3 server; its files are in {relative_to_here(folder)}"
    return GatewayStore(url, bucket, "demo", secrets.token_hex(12), description=told, note=note, program=program, folder=folder)
