"""Messages of GraphPipe survive a round trip."""

from __future__ import annotations

from hypothesis import example, given

from model_service.protocols import graphpipe
from tests.model_service.protocols.graphpipe.random_messages import (
    assert_same_tensors,
    metadata,
    requests,
    responses,
)


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
