"""GraphPipe: tensors as flatbuffers. A pure codec: bytes in, messages out, and the other way; no sockets.

Protocol: the schema of Oracle's GraphPipe (tables Request, InferRequest, InferResponse, MetadataRequest,
MetadataResponse). There is no union of answers: which table an answer is follows from the request.
"""

from model_service.protocols.graphpipe.decode import (
    decode_infer_response,
    decode_metadata_response,
    decode_request,
)
from model_service.protocols.graphpipe.encode import (
    encode_infer_response,
    encode_metadata_response,
    encode_request,
)
from model_service.protocols.graphpipe.messages import (
    DOES_NOT_FIT,
    ErrorMessage,
    InferRequest,
    InferResponse,
    InvalidMessage,
    IOMetadata,
    MetadataRequest,
    MetadataResponse,
    Type,
    type_of,
)

__all__ = [
    "DOES_NOT_FIT",
    "ErrorMessage",
    "IOMetadata",
    "InferRequest",
    "InferResponse",
    "InvalidMessage",
    "MetadataRequest",
    "MetadataResponse",
    "Type",
    "decode_infer_response",
    "decode_metadata_response",
    "decode_request",
    "encode_infer_response",
    "encode_metadata_response",
    "encode_request",
    "type_of",
]
