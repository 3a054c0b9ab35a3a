"""S3 and what speaks its protocol, through boto3."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Any, Literal, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)

from connect.api import ConfigError, ConfigProblem, RetriableError
from connectors.s3.config import S3SinkConfig
from connectors.s3.s3_errors import Absent, Refused, explain

T = TypeVar("T")


class S3Store:
    """One bucket. Objects above the part size go up in parts and appear when the last one is there."""

    def __init__(self, config: S3SinkConfig) -> None:
        self._bucket = config.s3_bucket_name
        self._prefix = config.topics_dir
        self._part_bytes = config.s3_part_size
        self._condition = {"IfNoneMatch": "*"} if config.enable_conditional_writes else {}
        self._where = config.store_url or f"S3 in {config.s3_region}"
        self._region = config.s3_region
        self._client = _make_client(config)

    def put_if_absent(self, key: str, body: IO[bytes], metadata: Mapping[str, str]) -> bool:
        first = body.read(self._part_bytes + 1)
        try:
            if len(first) <= self._part_bytes:
                self._ask(
                    lambda: self._client.put_object(**self._name(key), **self._described(metadata, first), **self._condition)
                )
            else:
                body.seek(0)
                self._put_parts(key, body, metadata)
        except Refused:
            return False
        return True

    def head(self, key: str) -> Mapping[str, str] | None:
        try:
            answer = self._ask(lambda: self._client.head_object(**self._name(key)))
        except Absent:
            return None
        metadata: Mapping[str, str] = answer["Metadata"]
        return metadata

    def read(self, key: str) -> bytes:
        try:
            answer = self._ask(lambda: self._client.get_object(**self._name(key)))
            content: bytes = self._ask(answer["Body"].read)
        except Absent as error:
            raise RetriableError(f"{self._at(key)} was there a moment ago and is not now") from error
        return content

    def check(self) -> Sequence[ConfigProblem]:
        # A HEAD is refused without words, and a listing hides a wrong region (boto3 mends it there): so both are asked.
        head = self._problem(lambda: self._client.head_object(**self._name(f"{self._prefix}/none")), absent_is_fine=True)
        listing = self._problem(lambda: self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, MaxKeys=1))
        problem = listing or head
        return (problem,) if problem else ()

    def _problem(self, call: Callable[[], object], *, absent_is_fine: bool = False) -> ConfigProblem | None:
        try:
            self._ask(call)
        except RetriableError as error:
            return ConfigProblem("store.url", f"{error}.", "Check store.url, the network and that the server runs.")
        except ConfigError as error:
            return ConfigProblem(error.key, str(error))
        except Absent as error:
            return None if absent_is_fine else ConfigProblem("s3.bucket.name", str(error))
        return None

    def close(self) -> None:
        self._client.close()

    def _put_parts(self, key: str, body: IO[bytes], metadata: Mapping[str, str]) -> None:
        described = self._described(metadata)
        begin = {**self._name(key), **described, "ChecksumAlgorithm": "CRC32"}
        upload = self._ask(lambda: self._client.create_multipart_upload(**begin))["UploadId"]
        parts: list[dict[str, Any]] = []
        try:
            while chunk := body.read(self._part_bytes):
                part = {**self._name(key), "UploadId": upload, "PartNumber": len(parts) + 1, "Body": chunk}
                answer = self._ask(lambda part=part: self._client.upload_part(**part))  # type: ignore[misc]
                parts.append({"PartNumber": part["PartNumber"], "ETag": answer["ETag"], **_checksums(answer)})
            whole = {**self._name(key), "UploadId": upload, "MultipartUpload": {"Parts": parts}}
            self._ask(lambda: self._client.complete_multipart_upload(**whole, **self._condition))
        except BaseException:
            with suppress(ClientError, BotoCoreError):  # what stays behind costs space, never shows
                self._client.abort_multipart_upload(**self._name(key), UploadId=upload)
            raise

    def _name(self, key: str) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": key}

    def _at(self, key: str) -> str:
        return f"s3://{self._bucket}/{key} at {self._where}"

    @staticmethod
    def _described(metadata: Mapping[str, str], body: bytes | None = None) -> dict[str, Any]:
        described: dict[str, Any] = {"Metadata": dict(metadata), "ContentType": "application/json"}
        return described if body is None else {**described, "Body": body}

    def _ask(self, call: Callable[[], T]) -> T:
        """One request; what went wrong comes out as one of our errors."""
        try:
            return call()
        except ClientError as error:
            raise explain(error, self._bucket, self._where, self._region) from error
        except (NoCredentialsError, PartialCredentialsError) as error:
            remedy = "Give aws.access.key.id and aws.secret.access.key, or the worker's environment, profile or role."
            raise ConfigError(f"No AWS credentials: {error}. {remedy}", "aws.access.key.id") from error
        except ParamValidationError as error:
            raise ConfigError(f"The request cannot be made: {error}", "s3.bucket.name") from error
        except BotoCoreError as error:
            raise RetriableError(f"{self._where} does not answer: {error}") from error


def _checksums(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name.startswith("Checksum") and name != "ChecksumType"}


def _make_client(config: S3SinkConfig) -> Any:
    secret = config.aws_secret_access_key.get_secret_value()
    style: Literal["path", "virtual"] = "path" if config.s3_path_style_access_enabled else "virtual"
    return boto3.session.Session().client(
        "s3",
        endpoint_url=config.store_url or None,
        region_name=config.s3_region,
        aws_access_key_id=config.aws_access_key_id or None,
        aws_secret_access_key=secret or None,
        config=Config(
            s3={"addressing_style": style},
            retries={"total_max_attempts": config.s3_part_retries + 1, "mode": "standard"},
            connect_timeout=5,
            read_timeout=60,
        ),
    )
