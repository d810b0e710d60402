"""The GraphPipe codec: round trips, messages built by hand from the schema, and hostile bytes."""

from __future__ import annotations

import math
import struct
import time
from typing import Any

import flatbuffers
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from model_service.protocols import graphpipe
from model_service.protocols.graphpipe import single_tensor

DTYPES = [np.dtype(code) for code in ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"]]
texts = st.text(max_size=20)
numbers = st.one_of(
    [npst.arrays(dtype, npst.array_shapes(min_dims=0, max_dims=4, min_side=0)) for dtype in DTYPES]
)
strings = npst.arrays(object, npst.array_shapes(min_dims=0, max_dims=2), elements=st.binary(max_size=8))
tensors = st.lists(numbers | strings, max_size=4).map(tuple)
names = st.lists(texts, max_size=4).map(tuple)
ios = st.lists(
    st.builds(
        graphpipe.IOMetadata,
        texts,
        st.sampled_from(graphpipe.Type),
        st.lists(st.integers(-1, 2**63 - 1), max_size=5).map(tuple),
        texts,
    ),
    max_size=3,
).map(tuple)
requests = st.builds(graphpipe.InferRequest, tensors, names, names, texts)
responses = st.builds(
    graphpipe.InferResponse,
    tensors,
    st.lists(st.builds(graphpipe.ErrorMessage, st.integers(-(2**63), 2**63 - 1), texts), max_size=3).map(
        tuple
    ),
)
metadata = st.builds(graphpipe.MetadataResponse, texts, texts, texts, texts, ios, ios)
DECODERS = [graphpipe.decode_request, graphpipe.decode_infer_response, graphpipe.decode_metadata_response]


def assert_same_tensors(left: tuple[Any, ...], right: tuple[Any, ...]) -> None:
    assert len(left) == len(right)
    for first, second in zip(left, right, strict=True):
        assert first.dtype == second.dtype
        np.testing.assert_array_equal(first, second)
        assert first.shape == second.shape


@given(requests)
@example(graphpipe.InferRequest((), (), ("the same long name",) * 100, ""))
@example(graphpipe.InferRequest((), (), ("",) * 100 + ("a name",), ""))
def test_requests_survive_a_round_trip(request: graphpipe.InferRequest) -> None:
    decoded = graphpipe.decode_request(graphpipe.encode_request(request))
    assert isinstance(decoded, graphpipe.InferRequest)
    assert_same_tensors(decoded.input_tensors, request.input_tensors)
    assert decoded.input_names == request.input_names
    assert decoded.output_names == request.output_names
    assert decoded.config == request.config


@given(responses)
def test_responses_survive_a_round_trip(response: graphpipe.InferResponse) -> None:
    decoded = graphpipe.decode_infer_response(graphpipe.encode_infer_response(response))
    assert_same_tensors(decoded.output_tensors, response.output_tensors)
    assert decoded.errors == response.errors


@given(metadata)
def test_metadata_survives_a_round_trip(response: graphpipe.MetadataResponse) -> None:
    assert graphpipe.decode_metadata_response(graphpipe.encode_metadata_response(response)) == response


def test_a_metadata_request_survives_a_round_trip() -> None:
    body = graphpipe.encode_request(graphpipe.MetadataRequest())
    assert graphpipe.decode_request(body) == graphpipe.MetadataRequest()


@given(npst.arrays(np.float32, npst.array_shapes(max_dims=3, max_side=50)))
def test_the_fast_decoder_agrees_with_the_general_one(tensor: np.ndarray) -> None:
    body = graphpipe.encode_request(graphpipe.InferRequest((tensor,)))
    verified = graphpipe.decode_request(bytearray(body))  # the fast way takes bytes alone
    graphpipe.decode_request(body)
    assert single_tensor.read(single_tensor.REQUEST, body) is not None  # learnt from the line above
    fast = graphpipe.decode_request(body)
    assert isinstance(fast, graphpipe.InferRequest)
    assert isinstance(verified, graphpipe.InferRequest)
    assert_same_tensors(fast.input_tensors, verified.input_tensors)


def test_numeric_tensors_are_views_of_the_message() -> None:
    body = graphpipe.encode_request(graphpipe.InferRequest((np.ones(4), np.ones(4, np.float32))))
    decoded = graphpipe.decode_request(body)
    assert isinstance(decoded, graphpipe.InferRequest)
    for tensor in decoded.input_tensors:
        assert np.shares_memory(tensor, np.frombuffer(body, np.uint8))


def test_any_text_type_and_memory_layout_can_be_encoded() -> None:
    """str, big-endian, strided and transposed arrays are encoded as the same values."""
    grid = np.arange(6, dtype=">f8").reshape(2, 3).T[::-1]
    body = graphpipe.encode_request(graphpipe.InferRequest((grid, np.array([["ä", "b"]]))))
    decoded = graphpipe.decode_request(body)
    assert isinstance(decoded, graphpipe.InferRequest)
    np.testing.assert_array_equal(decoded.input_tensors[0], grid)
    assert decoded.input_tensors[1].tolist() == [["ä".encode(), b"b"]]


@pytest.mark.parametrize(
    "tensor", [np.zeros(2, bool), np.zeros(2, complex), np.zeros(2, "M8[s]"), np.array([None, 1])]
)
def test_types_that_graphpipe_lacks(tensor: np.ndarray) -> None:
    with pytest.raises(graphpipe.InvalidMessage):
        graphpipe.encode_request(graphpipe.InferRequest((tensor,)))


# ---- bytes that are not ours


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


def raw_request(
    kind: int = 1,
    tensor_type: int = 10,
    shape: tuple[int, ...] = (1, 2),
    data: bytes = b"\0" * 8,
    strings: list[str] | None = None,
    copies: int = 1,
) -> bytes:
    """An inference request built from the schema without our codec. Each part can be made invalid."""
    builder = flatbuffers.Builder(64)
    data_at = builder.CreateByteVector(data)
    strings_at = 0
    if strings is not None:
        offsets = [builder.CreateString(text) for text in strings]
        builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            builder.PrependUOffsetTRelative(offset)
        strings_at = builder.EndVector()
    builder.StartVector(8, len(shape), 8)
    for length in reversed(shape):
        builder.PrependInt64(length)
    shape_at = builder.EndVector()
    builder.StartObject(4)
    builder.PrependUint8Slot(0, tensor_type, 0)
    builder.PrependUOffsetTRelativeSlot(1, shape_at, 0)
    builder.PrependUOffsetTRelativeSlot(2, data_at, 0)
    builder.PrependUOffsetTRelativeSlot(3, strings_at, 0)
    tensor = builder.EndObject()
    builder.StartVector(4, copies, 4)
    for _ in range(copies):
        builder.PrependUOffsetTRelative(tensor)
    tensors_at = builder.EndVector()
    builder.StartObject(4)
    builder.PrependUOffsetTRelativeSlot(2, tensors_at, 0)
    infer = builder.EndObject()
    builder.StartObject(2)
    builder.PrependUint8Slot(0, kind, 0)
    builder.PrependUOffsetTRelativeSlot(1, infer, 0)
    builder.Finish(builder.EndObject())
    return bytes(builder.Output())


def test_a_request_from_the_schema() -> None:
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
def test_requests_with_one_error(body: bytes, reason: str) -> None:
    with pytest.raises(graphpipe.InvalidMessage, match=reason):
        graphpipe.decode_request(body)


def test_a_short_message_cannot_repeat_a_long_string() -> None:
    """100 tensors share a String vector of 1,000 offsets to one string of 10 kB, which would decode to 1 GB."""
    body = bytearray(
        raw_request(tensor_type=12, shape=(1000,), strings=["x" * 10_000] + ["y"] * 999, copies=100)
    )
    long_text = body.index(b"x" * 100) - 4
    offsets = body.rindex(struct.pack("<I", 1000)) + 4  # the shape's 1000 stands before it
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


def test_the_fast_decoder_rejects_other_layouts() -> None:
    """A message of the same length with other bytes around the data is decoded in the general way, each time."""
    body = raw_request(shape=(1, 48), data=np.arange(48, dtype=np.float32).tobytes())
    for _ in range(2):
        decoded = graphpipe.decode_request(body)
        assert isinstance(decoded, graphpipe.InferRequest)
        assert decoded.input_tensors[0].tolist() == [list(range(48))]
