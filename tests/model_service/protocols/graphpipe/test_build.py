from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis.extra import numpy as npst

from model_service.protocols import graphpipe
from model_service.protocols.graphpipe import build


@given(npst.arrays(np.float32, npst.array_shapes(max_dims=3, max_side=50)))
def test_the_fast_encoder_gives_the_bytes_of_the_library(tensor: np.ndarray) -> None:
    request, response = graphpipe.InferRequest((tensor,)), graphpipe.InferResponse((tensor,))
    assert graphpipe.encode_request(request) == build.build_request(request)
    assert graphpipe.encode_infer_response(response) == build.build_infer_response(response)
