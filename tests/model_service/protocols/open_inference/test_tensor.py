"""Tensors as raw bytes: what fits, and what is rejected."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from model_service.protocols.open_inference.rest_request import InvalidRequest, read_request
from model_service.protocols.open_inference.tensor import DTYPES, to_bytes
from tests.model_service.protocols.open_inference.rest_bodies import NUMERIC, body, raw


@pytest.mark.parametrize(
    ("array", "data", "reason"),
    [
        (np.zeros(2, np.float32), b"\0" * 7, "8; 7 bytes are left"),
        (np.zeros(2, np.float32), b"\0" * 9, "1 bytes follow"),
        (np.zeros(2, bool), b"\0\2", "neither 0 nor 1"),
        (np.array([b"ab"], object), b"\7\0\0\0ab", "string 0 of 'a' reaches beyond"),
        (np.array([b"", b""], object), b"\4\0\0\0abcd", "needs 2 strings and has 1"),
        (np.array([b"a"], object), b"\0\0\0\0\0", "bytes after its 1 strings"),
    ],
)
def test_raw_bytes_that_do_not_fit_are_rejected(array: np.ndarray, data: bytes, reason: str) -> None:
    document = body(raw("a", array))
    with pytest.raises(InvalidRequest, match=reason):
        read_request(document + data, len(document))


@given(
    st.sampled_from(NUMERIC).flatmap(
        lambda name: arrays(DTYPES[name], array_shapes(max_dims=3, max_side=4, min_side=0))
    ),
    st.lists(st.binary(max_size=5), max_size=4),
)
def test_raw_tensors_survive_a_round_trip(array: np.ndarray, texts: list[bytes]) -> None:
    strings = np.empty(len(texts), object)
    strings[:] = texts
    document = body(raw("a", array), raw("s", strings))
    request = read_request(document + to_bytes(array) + to_bytes(strings), len(document))
    assert request.tensors[0].dtype == array.dtype
    assert request.tensors[0].shape == array.shape
    assert request.tensors[0].tobytes() == array.tobytes()
    assert request.tensors[1].tolist() == texts


def test_lengths_of_strings_are_not_trusted() -> None:
    document = json.dumps(
        {
            "inputs": [
                {
                    "name": "s",
                    "datatype": "BYTES",
                    "shape": [1],
                    "parameters": {"binary_data_size": 8},
                }
            ]
        }
    ).encode()
    with pytest.raises(InvalidRequest, match="reaches beyond"):
        read_request(document + struct.pack("<I", 2**32 - 1) + b"abcd", len(document))
