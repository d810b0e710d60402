"""Encoding: any text, type and memory layout that GraphPipe has."""

from __future__ import annotations

import numpy as np
import pytest

from model_service.protocols import graphpipe


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
def test_types_that_graphpipe_lacks_are_rejected(tensor: np.ndarray) -> None:
    with pytest.raises(graphpipe.InvalidMessage):
        graphpipe.encode_request(graphpipe.InferRequest((tensor,)))
