"""What an S3 server's refusals mean for us: try again, or change the configuration."""

from __future__ import annotations

from botocore.exceptions import ClientError

from connect.api import ConfigError, RetriableError


class Refused(Exception):
    """A conditional write found an object of that name."""


class Absent(Exception):
    """No such object."""


_REFUSED = {"PreconditionFailed", "412"}
_ABSENT = {"404", "NoSuchKey", "NotFound"}
_PASSING = {
    "SlowDown",
    "RequestTimeout",
    "RequestTimeTooSkewed",
    "ConditionalRequestConflict",
    "OperationAborted",
    "NoSuchUpload",
}
_KEYS_WRONG = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "XAdminUserNotFound"}
# A HEAD has no text to say why: a signature for another region is answered with a bare 400.
_REGION_WRONG = {"AuthorizationHeaderMalformed", "400"}
_ELSEWHERE = {"PermanentRedirect", "301", "IllegalLocationConstraintException"}


def explain(error: ClientError, bucket: str, where: str, region: str) -> Exception:
    """The error to raise for what a server answered. ``where``: the server, as a person knows it."""
    said = error.response.get("Error", {})
    code = str(said.get("Code", ""))
    answer = error.response.get("ResponseMetadata", {})
    status = int(answer.get("HTTPStatusCode", 0))
    if code in _REFUSED:
        return Refused()
    if code in _ABSENT:
        return Absent(f"There is no such object or bucket in {bucket} at {where}.")
    text = f"{status} {code} {said.get('Message', '')}".strip(" .")
    if code in _PASSING or status >= 500 or status == 429:
        return RetriableError(f"{where} answers {text}")
    if code in _ELSEWHERE:
        actual = answer.get("HTTPHeaders", {}).get("x-amz-bucket-region", "another region")
        return ConfigError(f"The bucket {bucket} is in {actual}, not in {region}.", "s3.region")
    return _mistake(code, status, text, bucket, where)


def _mistake(code: str, status: int, text: str, bucket: str, where: str) -> ConfigError:
    if code == "NoSuchBucket":
        remedy = f"Create it (aws s3 mb s3://{bucket}) or change s3.bucket.name."
        return ConfigError(f"There is no bucket {bucket} at {where}. {remedy}", "s3.bucket.name")
    if code in _KEYS_WRONG:
        remedy = "Check aws.access.key.id and aws.secret.access.key."
        return ConfigError(f"{where} does not accept the credentials: {text}. {remedy}", "aws.access.key.id")
    if code in _REGION_WRONG:
        return ConfigError(f"{where} refuses the request: {text}. Check s3.region.", "s3.region")
    if status == 403:
        needed = "s3:ListBucket on the bucket; s3:PutObject and s3:GetObject on its objects"
        return ConfigError(f"{where} denies access to the bucket {bucket}: {text}. Needed: {needed}.", "s3.bucket.name")
    return ConfigError(f"{where} refuses the request: {text}", "s3.bucket.name")
