"""Random messages of GraphPipe, and the comparison of their tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from model_service.protocols import graphpipe

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


def assert_same_tensors(left: tuple[Any, ...], right: tuple[Any, ...]) -> None:
    assert len(left) == len(right)
    for first, second in zip(left, right, strict=True):
        assert first.dtype == second.dtype
        np.testing.assert_array_equal(first, second)
        assert first.shape == second.shape
