"""A short message cannot become large objects."""

from __future__ import annotations

import struct
import time

import pytest

from model_service.protocols import graphpipe
from tests.model_service.protocols.graphpipe.raw_messages import raw_request


def test_a_short_message_cannot_repeat_a_long_string() -> None:
    """100 tensors share a String vector of 1,000 offsets to one string of 10 kB, which would decode to 1 GB."""
    body = bytearray(
        raw_request(tensor_type=12, shape=(1000,), strings=["x" * 10_000] + ["y"] * 999, copies=100)
    )
    long_text = body.index(b"x" * 100) - 4
    offsets = body.rindex(struct.pack("<I", 1000)) + 4  # the shape's 1000 comes before it
    for index in range(1000):
        at = offsets + 4 * index
        struct.pack_into("<I", body, at, long_text - at)
    started = time.process_time()
    with pytest.raises(graphpipe.InvalidMessage, match="longer than the message"):
        graphpipe.decode_request(bytes(body))
    assert time.process_time() - started < 1


def test_a_short_message_cannot_repeat_a_vector_of_empty_strings() -> None:
    body = raw_request(tensor_type=12, shape=(1000,), strings=[""] * 1000, copies=10)
    graphpipe.decode_request(raw_request(tensor_type=12, shape=(1000,), strings=[""] * 1000))
    with pytest.raises(graphpipe.InvalidMessage, match="longer than the message"):
        graphpipe.decode_request(body)
