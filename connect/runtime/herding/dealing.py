"""Partitions for tasks: as even as it gets, with as few as possible changing hands. Pure.

A partition is a JSON value: ``{"server": "shop"}`` of a source, ``["orders", 3]`` of a sink.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson


def deal(partitions: Sequence[Any], tasks: int, held: Sequence[Sequence[Any]] = ()) -> list[tuple[Any, ...]]:
    """What each of ``tasks`` tasks reads. ``held`` is what each has now; what it may keep it keeps, in its order."""
    if tasks == 0:
        return []
    wanted = {_identity(partition): partition for partition in partitions}
    hands: list[dict[bytes, Any]] = [{} for _ in range(tasks)]
    for hand, before in zip(hands, held, strict=False):
        for partition in before:
            identity = _identity(partition)
            if identity in wanted:
                hand[identity] = wanted.pop(identity)
    for identity, partition in wanted.items():
        min(hands, key=len)[identity] = partition
    while len(fullest := max(hands, key=len)) > len(emptiest := min(hands, key=len)) + 1:
        emptiest.update([fullest.popitem()])
    return [tuple(hand.values()) for hand in hands]


def moved(before: Sequence[Sequence[Any]], after: Sequence[Sequence[Any]]) -> bool:
    """Does any partition go from one task to another?"""
    owners = {_identity(partition): task for task, hand in enumerate(before) for partition in hand}
    return any(owners.get(_identity(partition), task) != task for task, hand in enumerate(after) for partition in hand)


def _identity(partition: Any) -> bytes:
    return orjson.dumps(partition, option=orjson.OPT_SORT_KEYS)
