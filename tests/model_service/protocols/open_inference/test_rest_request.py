"""Parsing of REST request bodies: valid, invalid and hostile ones."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from model_service.protocols.open_inference.rest_request import InvalidRequest, read_request
from model_service.protocols.open_inference.tensor import DTYPES, to_bytes
from tests.model_service.protocols.open_inference.rest_bodies import DEEP, TENSOR, body, raw


def test_a_request_without_options_is_read() -> None:
    request = read_request(body(TENSOR, id="7", parameters={"priority": 3}), None)
    assert (request.id, request.input_names, request.outputs, request.all_binary) == ("7", ("x",), (), False)
    (x,) = request.tensors
    assert x.dtype == np.float32
    assert x.tolist() == [[1, 2.5], [3, 4]]


@pytest.mark.parametrize("data", [[[1, 2.5], [3, 4]], [[[1], [2.5]], [3, 4]], [1, 2.5, 3, 4]])
def test_values_may_be_nested(data: Any) -> None:
    assert read_request(body({**TENSOR, "data": data}), None).tensors[0].tolist() == [[1, 2.5], [3, 4]]


def test_strings_flags_and_large_integers_are_read_from_json() -> None:
    words = {"name": "w", "datatype": "BYTES", "shape": [2], "data": ["a", "é"]}
    flags = {"name": "b", "datatype": "BOOL", "shape": [2], "data": [True, False]}
    large = {"name": "i", "datatype": "UINT64", "shape": [1], "data": [2**64 - 1]}
    read = read_request(body(words, flags, large), None).tensors
    assert read[0].tolist() == [b"a", "é".encode()]
    assert read[1].tolist() == [True, False]
    assert read[2].tolist() == [2**64 - 1]


def test_raw_bytes_follow_the_json_in_the_order_of_the_inputs() -> None:
    a, b = np.arange(6, dtype=np.float32).reshape(2, 3), np.array([b"xy", b"", b"z"], object)
    document = body(raw("a", a), TENSOR, raw("b", b))
    request = read_request(document + to_bytes(a) + to_bytes(b), len(document))
    np.testing.assert_array_equal(request.tensors[0], a)
    assert request.tensors[2].tolist() == b.tolist()


def test_outputs_are_raw_if_they_or_the_request_ask_for_it() -> None:
    wanted = [
        {"name": "p"},
        {"name": "q", "parameters": {"binary_data": True}},
        {"name": "r", "parameters": {"binary_data": False}},
    ]
    some = read_request(body(TENSOR, outputs=wanted), None)
    assert (some.outputs, some.binary) == (("p", "q", "r"), {"q"})
    most = read_request(body(TENSOR, outputs=wanted, parameters={"binary_data_output": True}), None)
    assert (most.binary, most.all_binary) == ({"p", "q"}, True)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b"", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "inputs are missing"),
        (b'{"inputs": 3}', "inputs must be an array"),
        (body(7), "an input must be an object"),
        (body({"name": 3}), "an input has no name"),
        (body({**TENSOR, "datatype": "FLOAT"}), "'x' has the datatype 'FLOAT'; known are BOOL, UINT8"),
        (body({**TENSOR, "shape": [4.0]}), "holds 4.0, which is not a length"),
        (body({**TENSOR, "shape": [-2, -2]}), "holds -2, which is not a length"),
        (body({**TENSOR, "shape": [True, 4]}), "holds True, which is not a length"),
        (body({**TENSOR, "shape": [1] * 33}), "at most 32 lengths"),
        (body({**TENSOR, "shape": "22"}), "must be an array"),
        (body({**TENSOR, "shape": [3]}), r"of shape \[3\] needs 3 values and has 4"),
        (body({**TENSOR, "shape": [2**62, 2**62, 0], "data": []}), "too large"),
        (body({**TENSOR, "data": None}), "neither an array `data` nor a binary_data_size"),
        (body({**TENSOR, "data": [1, 2, 3, "4"]}), "holds '4', which is not a float32 value"),
        (body({**TENSOR, "data": [1, 2, 3, True]}), "holds True"),
        (body({**TENSOR, "data": [1, 2, 3, None]}), "holds None"),
        (body({**TENSOR, "data": [1, 2, 3, {"a": DEEP}]}), r"holds {'a': \[\["),
        (body({**TENSOR, "datatype": DEEP}), r"the datatype \[\["),
        (body({**TENSOR, "shape": [DEEP]}), r"holds \[\["),
        (body({**TENSOR, "data": None, "parameters": {"binary_data_size": DEEP}}), r"binary_data_size \[\["),
        (body({**TENSOR, "data": [1, 2, 3, 1e39]}), "beyond float32"),
        (body({**TENSOR, "datatype": "INT8", "data": [1, 2, 3, 128]}), "beyond int8"),
        (body({**TENSOR, "datatype": "INT8", "data": [1, 2, 3, 1.5]}), "holds 1.5, which is not a int8"),
        (body(TENSOR, id=3), "id must be a string"),
        (body(TENSOR, parameters=[]), "parameters of the request must be an object"),
        (body(TENSOR, parameters={"binary_data_output": 1}), "must be true or false"),
        (body(TENSOR, outputs=[{}]), "an output has no name"),
        (
            body(TENSOR, outputs=[{"name": "y", "parameters": {"classification": 2}}]),
            "the parameter classification",
        ),
        (body({**TENSOR, "parameters": {"shared_memory_region": "r"}}), "shared_memory_region"),
        (body({**TENSOR, "parameters": {"binary_data_size": 16}}), "both `data` and a binary_data_size"),
        (body(raw("a", np.zeros(2, np.float32))), "has the binary_data_size 8; 0 bytes are left"),
        (body(*[TENSOR] * 257), "257 inputs; at most 256"),
    ],
)
def test_an_invalid_request_is_rejected_with_the_reason(document: bytes, reason: str) -> None:
    with pytest.raises(InvalidRequest, match=reason):
        read_request(document, None)


def test_deep_nesting_is_rejected() -> None:
    data: Any = [1, 2, 3, 4]
    for _ in range(40):
        data = [data]
    with pytest.raises(InvalidRequest, match="nested more than 32 levels deep"):
        read_request(body({**TENSOR, "data": data}), None)


def test_a_json_length_beyond_the_body_is_rejected() -> None:
    with pytest.raises(InvalidRequest, match="Inference-Header-Content-Length is 1000"):
        read_request(body(TENSOR), 1000)


@given(arrays(np.float32, array_shapes(max_dims=2), elements=st.floats(width=32, allow_nan=False)))
def test_json_tensors_survive_a_round_trip(array: np.ndarray) -> None:
    finite = np.nan_to_num(array, posinf=1, neginf=1)
    tensor = {"name": "x", "datatype": "FP32", "shape": list(array.shape), "data": finite.tolist()}
    np.testing.assert_array_equal(read_request(body(tensor), None).tensors[0], finite)


MEMBERS = st.sampled_from(
    ["inputs", "outputs", "name", "shape", "datatype", "data", "parameters", "binary_data_size", "id"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 2**65) | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.binary(max_size=20), st.none() | st.integers(0, 60))
def test_any_json_is_a_request_or_invalid(document: Any, data: bytes, json_bytes: int | None) -> None:
    with contextlib.suppress(InvalidRequest):
        read_request(json.dumps(document).encode() + data, json_bytes)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "name": st.text(max_size=2) | st.integers(),
            "datatype": st.sampled_from([*DTYPES, "FP8"]),
            "shape": st.lists(st.integers(-1, 3) | st.just(2**40), max_size=3),
            "data": JSON,
            "parameters": st.fixed_dictionaries({}, optional={"binary_data_size": st.integers(-1, 30)}),
        },
    ),
    st.binary(max_size=30),
)
def test_any_tensor_is_a_request_or_invalid(tensor: dict[str, Any], data: bytes) -> None:
    document = body(tensor)
    with contextlib.suppress(InvalidRequest):
        assert list(read_request(document + data, len(document)).tensors[0].shape) == tensor["shape"]
