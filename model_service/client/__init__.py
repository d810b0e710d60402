"""Clients of a model service, for functions: GraphPipe, and the Open Inference Protocol over REST and gRPC.

All clients have the interface `ModelClient` and work with any server of their protocol. They are not thread-safe.
Importing this package loads neither TensorFlow nor gRPC; gRPC is loaded when an address needs it.
"""

from model_service.client.balanced_client import BalancedClient
from model_service.client.connect import connect_graphpipe, connect_inference_protocol
from model_service.client.graphpipe_client import GraphPipeClient
from model_service.client.interface import (
    RETRY_AFTER_S,
    InferenceResult,
    InvalidShape,
    ModelClient,
    ModelError,
    ModelUnavailable,
)

__all__ = [
    "RETRY_AFTER_S",
    "BalancedClient",
    "GraphPipeClient",
    "InferenceResult",
    "InvalidShape",
    "ModelClient",
    "ModelError",
    "ModelUnavailable",
    "connect_graphpipe",
    "connect_inference_protocol",
]
