"""Encodes messages: a message with one float32 tensor by the fast codec, others with the flatbuffers library."""

from __future__ import annotations

from model_service.protocols.graphpipe import single_tensor
from model_service.protocols.graphpipe.build import (
    build_infer_response,
    build_metadata_response,
    build_request,
)
from model_service.protocols.graphpipe.messages import (
    InferRequest,
    InferResponse,
    MetadataRequest,
    MetadataResponse,
)


def encode_request(request: InferRequest | MetadataRequest) -> bytes:
    """Encode a message. Raises InvalidMessage for a tensor type that GraphPipe lacks, or for too much data."""
    if isinstance(request, InferRequest) and _is_single(request):
        spliced = single_tensor.write(single_tensor.REQUEST, request.input_tensors[0])
        if spliced is not None:
            return spliced
    return build_request(request)


def encode_infer_response(response: InferResponse) -> bytes:
    """Encode a message. Raises InvalidMessage for a tensor type that GraphPipe lacks, or for too much data."""
    if len(response.output_tensors) == 1 and not response.errors:
        spliced = single_tensor.write(single_tensor.RESPONSE, response.output_tensors[0])
        if spliced is not None:
            return spliced
    return build_infer_response(response)


def encode_metadata_response(response: MetadataResponse) -> bytes:
    """Encode a message."""
    return build_metadata_response(response)


def _is_single(request: InferRequest) -> bool:
    return len(request.input_tensors) == 1 and not (
        request.input_names or request.output_names or request.config
    )
