"""The fast codec of one tensor agrees with the general one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis.extra import numpy as npst

from model_service.protocols import graphpipe
from model_service.protocols.graphpipe import single_tensor
from tests.model_service.protocols.graphpipe.random_messages import (
    assert_same_tensors,
)
from tests.model_service.protocols.graphpipe.raw_messages import raw_request


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


def test_the_fast_decoder_rejects_other_layouts() -> None:
    """A message of the same length with other bytes around the data is decoded in the general way, each time."""
    body = raw_request(shape=(1, 48), data=np.arange(48, dtype=np.float32).tobytes())
    for _ in range(2):
        decoded = graphpipe.decode_request(body)
        assert isinstance(decoded, graphpipe.InferRequest)
        assert decoded.input_tensors[0].tolist() == [list(range(48))]
