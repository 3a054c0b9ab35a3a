"""A sink: posts each batch to an HTTP endpoint, as a JSON array."""

import json
from collections.abc import Sequence
from urllib.request import Request, urlopen

from pydantic import Field, HttpUrl, SecretStr

from connect.api import ConnectorConfig, SinkConnector, SinkRecord


class WebhookConfig(ConnectorConfig):
    url: HttpUrl = Field(description="Where each batch is posted.")
    token: SecretStr = Field(description="Sent as a bearer token.")


class WebhookSink(SinkConnector[WebhookConfig]):
    retriable = (OSError,)  # the endpoint is away: the same batch again, later

    def write(self, batch: Sequence[SinkRecord]) -> None:
        body = json.dumps([record.value for record in batch]).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.config.token.get_secret_value()}"}
        urlopen(Request(str(self.config.url), body, headers), timeout=10).close()  # noqa: S310 - HttpUrl allows http(s) only
