"""PostgreSQL's text forms of composed values: arrays and hstore. Pure; they raise ValueError for anything else."""

from __future__ import annotations

import json
import re

Items = list["str | Items | None"]

_TOKEN = re.compile(r'\s*("((?:[^"\\]|\\.)*)"|[{},]|(?:[^{},"\\]|\\.)+)', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_PAIR = re.compile(r'"((?:[^"\\]|\\.)*)"=>(?:"((?:[^"\\]|\\.)*)"|(NULL))(?:, )?', re.DOTALL)


def array_items(text: str) -> Items:
    """``{1,"a b",NULL,{2}}``: the items as text, None for NULL, a list for an inner array; bounds are dropped."""
    if text.startswith("["):
        text = text[text.index("=") + 1 :]
    if len(text) < 2 or text[0] != "{" or text[-1] != "}":
        raise ValueError(f"{text!r} is no array")
    inner = text[1:-1]
    if not inner:
        return []
    if not any(special in inner for special in '"{}\\'):
        return [None if item == "NULL" else item for item in inner.split(",")]
    items, at = _items(text, 1)
    if at != len(text):
        raise ValueError(f"{text!r} goes on after the array's end")
    return items


def _items(text: str, at: int) -> tuple[Items, int]:
    """The items from after an opening brace, and the position after the closing one."""
    items: Items = []
    while found := _TOKEN.match(text, at):
        at = found.end()
        token = found[1]
        if token == "}":  # noqa: S105 - a brace
            return items, at
        if token == "{":  # noqa: S105 - a brace
            inner, at = _items(text, at)
            items.append(inner)
        elif found[2] is not None:
            items.append(_ESCAPE.sub(r"\1", found[2]))
        elif token != ",":  # noqa: S105 - a comma
            items.append(None if token == "NULL" else _ESCAPE.sub(r"\1", token))  # noqa: S105 - a word
    raise ValueError(f"{text!r} is an array without its end")


def hstore_json(text: str) -> str:
    """``"a"=>"1", "b"=>NULL`` as a JSON object: ``{"a":"1","b":null}``."""
    pairs: dict[str, str | None] = {}
    at = 0
    while at < len(text):
        found = _PAIR.match(text, at)
        if found is None:
            raise ValueError(f"{text!r} is no hstore")
        pairs[_ESCAPE.sub(r"\1", found[1])] = None if found[3] else _ESCAPE.sub(r"\1", found[2])
        at = found.end()
    return json.dumps(pairs, ensure_ascii=False, separators=(",", ":"))
