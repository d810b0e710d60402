"""Keys of the state topic. One topic holds the state of many groups, partitions and interceptors.

A key is a JSON list `[group, topic, partition, interceptor]`, a newline, and the interceptor's own key.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from consumer.lanes.lane import Partition

MARKER = ""  # the interceptor's name in the record that says for how many partitions the state was placed


class StateKey(NamedTuple):
    """A key of the state topic in its parts. owner: the interceptor's name."""

    group: str
    topic: str
    partition: int
    owner: str
    key: bytes


def prefix(group: str, partition: Partition) -> bytes:
    """The start of all keys of a partition's state."""
    return _dumps([group, *partition])[:-1] + b","


def full_key(group: str, partition: Partition, owner: str, key: bytes) -> bytes:
    """The key in the state topic of an interceptor's key. owner: the interceptor's name."""
    return _dumps([group, *partition, owner]) + b"\n" + key


def marker_key(group: str, partition: Partition) -> bytes:
    """The key of the record that says for how many partitions the state was placed."""
    return full_key(group, partition, MARKER, b"")


def parse(key: bytes | None) -> StateKey | None:
    """The parts of a key; None if it is not a key of fncast."""
    head, newline, suffix = (key or b"").partition(b"\n")
    try:
        group, topic, partition, owner = json.loads(head)
    except (ValueError, TypeError, RecursionError):
        return None
    texts = all(isinstance(text, str) for text in (group, topic, owner))
    if not newline or not texts or type(partition) is not int:
        return None
    return StateKey(group, topic, partition, owner, suffix)


def place_of(partition: int, places: int) -> int:
    """The partition of the state topic, of which there are `places`, for an input partition."""
    return partition % places


def _dumps(parts: list[object]) -> bytes:
    return json.dumps(parts, separators=(",", ":")).encode()
