"""Decoding: messages built by hand from the schema, and hostile bytes."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model_service.protocols import graphpipe
from tests.model_service.protocols.graphpipe.random_messages import (
    metadata,
    requests,
    responses,
)
from tests.model_service.protocols.graphpipe.raw_messages import raw_request

DECODERS = [graphpipe.decode_request, graphpipe.decode_infer_response, graphpipe.decode_metadata_response]


def test_numeric_tensors_are_views_of_the_message() -> None:
    body = graphpipe.encode_request(graphpipe.InferRequest((np.ones(4), np.ones(4, np.float32))))
    decoded = graphpipe.decode_request(body)
    assert isinstance(decoded, graphpipe.InferRequest)
    for tensor in decoded.input_tensors:
        assert np.shares_memory(tensor, np.frombuffer(body, np.uint8))


@example(b"")
@example(b"\x00" * 64)
@example(b"\xff" * 64)
@given(st.binary(max_size=300))
def test_random_bytes_raise_only_invalid_message(body: bytes) -> None:
    decode_all(body)


messages = st.one_of(
    requests.map(graphpipe.encode_request),
    responses.map(graphpipe.encode_infer_response),
    metadata.map(graphpipe.encode_metadata_response),
)


@given(messages, st.data())
def test_mutated_messages_raise_only_invalid_message(message: bytes, data: st.DataObject) -> None:
    body = bytearray(message)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        replacement = data.draw(
            st.sampled_from([b"\x00", b"\x01", b"\x7f", b"\x80", b"\xff", b"\xff\xff\xff\x7f"])
        )
        body[at : at + len(replacement)] = replacement
    cut = data.draw(st.integers(0, len(body)))
    decode_all(bytes(body))
    decode_all(bytes(body[:cut]))


def decode_all(body: bytes) -> None:
    """Decode any bytes: the tensors must be inside of them, or InvalidMessage is raised."""
    for decode in DECODERS:
        try:
            decoded = decode(body)
        except graphpipe.InvalidMessage:
            continue
        for tensor in [
            *getattr(decoded, "input_tensors", ()),
            *getattr(decoded, "output_tensors", ()),
        ]:
            if tensor.dtype != object:
                assert tensor.nbytes <= len(body)
                tensor.sum()  # reads all of it


def test_a_request_built_from_the_schema_is_decoded() -> None:
    decoded = graphpipe.decode_request(raw_request(data=struct.pack("<2f", 1.5, math.inf)))
    assert isinstance(decoded, graphpipe.InferRequest)
    assert decoded.input_tensors[0].tolist() == [[1.5, math.inf]]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (raw_request(kind=0), "neither an inference request nor a metadata request"),
        (raw_request(kind=3), "neither an inference request nor a metadata request"),
        (raw_request(tensor_type=13), "13 is not a GraphPipe type"),
        (raw_request(tensor_type=0), "no type"),
        (raw_request(shape=(1, 3)), r"shape \[1, 3\] needs 12 bytes and has 8"),
        (raw_request(shape=(-1, 2)), "cannot be negative"),
        (raw_request(shape=(2**62, 2**62)), "needs"),
        (raw_request(shape=(2**62, 2**62, 0), data=b""), "too large"),
        (raw_request(shape=(1,) * 33), "33 dimensions"),
        (raw_request(tensor_type=12, shape=(2,), strings=["a"]), "needs 2 strings and has 1"),
        (raw_request(copies=257), "257 tensors"),
    ],
)
def test_an_invalid_request_is_rejected_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(graphpipe.InvalidMessage, match=reason):
        graphpipe.decode_request(body)
