"""Records of one input topic for the tests of the loop."""

from __future__ import annotations

from interceptor.delivery import Record


def record(offset: int, partition: int = 0, value: bytes = b"v") -> Record:
    return Record("metrics", partition, offset, 0, None, value, [])
