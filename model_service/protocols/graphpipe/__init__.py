"""GraphPipe: tensors as flatbuffers. This package exports the codec, which does no I/O.

Protocol: the schema of Oracle's GraphPipe (tables Request, InferRequest, InferResponse, MetadataRequest,
MetadataResponse). A response does not say which table it is; that follows from the request. `endpoint` serves the
protocol over HTTP and is not imported here, because functions import the codec only.
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
