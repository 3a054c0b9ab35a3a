"""Java's ``.properties`` grammar: text in, keys and values out.

Source of the format: ``java.util.Properties.load``. Kafka reads its files as ISO-8859-1, so a caller decodes them that way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_BLANKS = " \t\f"
_LINE_END = re.compile(r"\r\n|\r|\n")
_ESCAPED_CHARACTERS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_ESCAPE = re.compile(r"\\(u(?:[0-9a-fA-F]{4})?|.|$)", re.DOTALL)


class MalformedProperties(ValueError):
    """The text is no properties file; ``line`` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def parse(text: str) -> dict[str, str]:
    """The keys and values of a properties file, in the file's order; of a repeated key the last one counts.

    Raises :class:`MalformedProperties` for a backslash-u that four hexadecimal digits do not follow, as Java does.
    """
    properties: dict[str, str] = {}
    for number, line in _logical_lines(text):
        key, value = _split(line)
        properties[_unescape(key, number)] = _unescape(value, number)
    return properties


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their continuations joined, blank lines and comments left out, each with the number it began at."""
    natural = enumerate(_LINE_END.split(text), start=1)
    for number, line in natural:
        content = line.lstrip(_BLANKS)
        if not content or content[0] in "#!":
            continue
        while _is_continued(content):
            _, following = next(natural, (0, ""))
            content = content[:-1] + following.lstrip(_BLANKS)
        yield number, content


def _is_continued(line: str) -> bool:
    """An odd number of backslashes at the end: an even one is backslashes that are meant."""
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def _split(line: str) -> tuple[str, str]:
    """Key and value, still escaped: the key ends at the first unescaped ``=``, ``:`` or blank."""
    end = 0
    while end < len(line) and line[end] not in "=:" + _BLANKS:
        end += 2 if line[end] == "\\" else 1
    rest = line[end:].lstrip(_BLANKS)
    if rest[:1] in ("=", ":"):
        rest = rest[1:].lstrip(_BLANKS)
    return line[:end], rest


def _unescape(text: str, line: int) -> str:
    def character(match: re.Match[str]) -> str:
        escaped = match[1]
        if escaped == "u":
            raise MalformedProperties("A backslash and u must be followed by four hexadecimal digits", line)
        if len(escaped) == 5:
            return chr(int(escaped[1:], 16))
        return _ESCAPED_CHARACTERS.get(escaped, escaped)

    if "\\" not in text:
        return text
    # Java's strings are UTF-16: two escapes may be the halves of one character.
    return _ESCAPE.sub(character, text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
