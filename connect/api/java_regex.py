"""Java's regular expressions in Python's dialect, for keys whose values were written for Kafka Connect.

Source: ``java.util.regex.Pattern`` and ``Matcher.appendReplacement``. What the two dialects write alike passes unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

Replacement = Callable[[re.Match[str]], str]

_POSIX = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": r"!-/:-@\[-`{-~",
    "XDigit": "0-9a-fA-F",
    "Space": r" \t\n\x0b\f\r",
    "Blank": r" \t",
}
_TOKEN = re.compile(
    r"\\Q(?P<quoted>.*?)(?:\\E|$)|\\p\{(?P<posix>\w+)\}|\\P\{(?P<negated>\w+)\}|\(\?<(?P<group>[a-zA-Z]\w*)>|\\z|\\.",
    re.DOTALL,
)
_GROUP_NAME = re.compile(r"\{([a-zA-Z][a-zA-Z0-9]*)\}")


@lru_cache(256)
def compile_pattern(text: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    r"""A pattern that matches what Java's would. Raises ValueError where it is no regular expression.

    ``\d``, ``\w`` and ``\s`` are ASCII, as in Java. Translated: ``(?<name>..)``, ``\Q..\E``, ``\p{Alpha}`` and the like.
    """

    def translated(match: re.Match[str]) -> str:
        kind = match.lastgroup
        if kind == "quoted":
            return re.escape(match["quoted"])
        if kind in ("posix", "negated"):
            return _posix(match[kind], negated=kind == "negated", in_class=_is_in_class(text, match.start()))
        if kind == "group":
            return f"(?P<{match['group']}>"
        return r"\Z" if match[0] == r"\z" else match[0]

    try:
        return re.compile(_TOKEN.sub(translated, text), re.ASCII | (re.IGNORECASE if ignore_case else re.NOFLAG))
    except re.error as error:
        raise ValueError(f"'{text}' is no regular expression: {error}") from error


def _is_in_class(text: str, position: int) -> bool:
    opened = text.rfind("[", 0, position)
    return opened >= 0 and text.rfind("]", 0, position) < opened


def _posix(name: str, *, negated: bool, in_class: bool) -> str:
    characters = _POSIX.get(name)
    if characters is None or (negated and in_class):
        raise ValueError(f"the character class {name} is not supported here; write the characters out")
    if in_class:
        return characters
    return f"[{'^' if negated else ''}{characters}]"


def compile_replacement(text: str, pattern: re.Pattern[str]) -> Replacement:
    r"""Java's replacement: ``$1``, ``${name}``, and ``\`` before a character that is meant as it is. Raises ValueError."""
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        character = text[position]
        if character == "\\":
            if position + 1 == len(text):
                raise ValueError("character to be escaped is missing")
            parts.append(text[position + 1])
            position += 2
        elif character == "$":
            group, position = _group(text, position + 1, pattern)
            parts.append(group)
        else:
            parts.append(character)
            position += 1
    return lambda match: "".join(part if isinstance(part, str) else match[part] or "" for part in parts)


def _group(text: str, position: int, pattern: re.Pattern[str]) -> tuple[int, int]:
    """The number of the group whose reference stands at ``position``, and where the text goes on."""
    named = _GROUP_NAME.match(text, position)
    if named:
        if named[1] not in pattern.groupindex:
            raise ValueError(f"the pattern has no group {{{named[1]}}}")
        return pattern.groupindex[named[1]], named.end()
    digit = text[position : position + 1]
    if not (digit.isascii() and digit.isdigit()):
        raise ValueError("'$' must be followed by a group's number or {name}; write \\$ for a dollar sign")
    number = int(digit)
    if number > pattern.groups:
        raise ValueError(f"the pattern has no group {number}")
    position += 1
    # Java goes on reading digits as long as there is such a group: $12 is group 12, or group 1 and a 2.
    while (digit := text[position : position + 1]).isdigit() and digit.isascii() and number * 10 + int(digit) <= pattern.groups:
        number = number * 10 + int(digit)
        position += 1
    return number, position
