"""Answers as Kafka Connect writes them: compact, keys in their own order, UTF-8."""

from __future__ import annotations

from typing import Any

import orjson
from flask.json.provider import JSONProvider


class JsonAnswers(JSONProvider):
    """JSON by orjson."""

    def dumps(self, obj: Any, **_kwargs: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_kwargs: Any) -> Any:
        return orjson.loads(s)
