"""The gRPC client of the Open Inference Protocol; sends tensors as raw bytes. The only client that imports grpc."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from google.protobuf.message import DecodeError

from model_service.client.http_connection import (
    CONNECT_TIMEOUT_S,
    MAX_RESPONSE_BYTES,
    address,
    check_token,
)
from model_service.client.interface import (
    Float32Array,
    InferenceResult,
    ModelError,
    ModelUnavailable,
    checked_forecast,
    model_error,
    one_line,
)
from model_service.client.metadata_message import to_metadata
from model_service.client.model_address import ModelAddress
from model_service.protocols.graphpipe import MetadataResponse
from model_service.protocols.open_inference import messages_pb2 as messages
from model_service.protocols.open_inference.grpc_tensors import read_outputs
from model_service.protocols.open_inference.tensor import TOO_LARGE, InvalidTensor

_SERVICE = "/inference.GRPCInferenceService"
# The caller decides about retries. By default gRPC would wait up to two minutes before it connects again.
_RECONNECT_MS = 100
_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_RESPONSE_BYTES),
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", _RECONNECT_MS),
    ("grpc.max_reconnect_backoff_ms", _RECONNECT_MS),
    # Despite its name this is the timeout for connecting.
    ("grpc.min_reconnect_backoff_ms", int(CONNECT_TIMEOUT_S * 1000)),
)


class GrpcClient:
    """A `ModelClient` of one gRPC server of the Open Inference Protocol."""

    def __init__(self, url: str, timeout_s: float = 10.0, token: str = "") -> None:
        """url: `grpc://host:port/path`, or grpcs; the path names the model, see ModelAddress. timeout_s: limits a call.
        token: bearer token, or empty.

        Certificates of servers are verified with the CAs of the system, or those in SSL_CERT_FILE. Connects on the
        first call. Raises ValueError for an invalid url or token.
        """
        parts = address(url, ("grpc", "grpcs"))
        check_token(token)
        if parts.port is None:
            raise ValueError(f"{url!r} is not the address of a model service: the port is missing")
        self.url = url
        self._model = ModelAddress.of(url, parts.path)
        self._timeout_s = timeout_s
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        target = parts.netloc.rpartition("@")[2]
        if parts.scheme == "grpcs":
            self._channel = grpc.secure_channel(target, _credentials(), _OPTIONS)
        else:
            self._channel = grpc.insecure_channel(target, _OPTIONS)
        self._input = ""  # name of the input, from the metadata

    def infer(self, windows: Float32Array) -> InferenceResult:
        if not self._input:
            self.metadata()
        request = messages.ModelInferRequest(
            model_name=self._model.name,
            model_version=self._model.version,
            raw_input_contents=[np.ascontiguousarray(windows, "<f4").tobytes()],
        )
        request.inputs.add(name=self._input, datatype="FP32", shape=windows.shape)
        response = self._call("ModelInfer", request, messages.ModelInferResponse)
        try:
            outputs = read_outputs(response)
        except InvalidTensor as error:
            raise ModelUnavailable(f"{self.url} did not return an inference response: {error}") from None
        name, version = response.model_name or None, response.model_version or None
        return InferenceResult(checked_forecast(self.url, outputs, len(windows)), name, version)

    def metadata(self) -> MetadataResponse:
        request = messages.ModelMetadataRequest(name=self._model.name, version=self._model.version)
        described = self._call("ModelMetadata", request, messages.ModelMetadataResponse)
        if not described.inputs:
            raise ModelUnavailable(f"{self.url} returned metadata without an input")
        self._input = described.inputs[0].name
        return to_metadata(
            described.name,
            [(each.name, each.datatype, tuple(each.shape)) for each in described.inputs],
            {name: parameter.string_param for name, parameter in described.parameters.items()},
        )

    def close(self) -> None:
        self._channel.close()

    def _call(self, method: str, request: Any, response: Any) -> Any:
        """Call a method; response: its message class. Raises ModelUnavailable, InvalidShape, ModelError."""
        call = self._channel.unary_unary(f"{_SERVICE}/{method}")
        try:
            return response.FromString(
                call(request.SerializeToString(), timeout=self._timeout_s, metadata=self._metadata)
            )
        except grpc.RpcError as error:
            raise self._failure(error) from None
        except DecodeError:
            raise ModelUnavailable(f"{self.url} did not return a message of this protocol") from None

    def _failure(self, error: Any) -> Exception:
        """The exception for a gRPC status: whether the same request may succeed later."""
        code, text = error.code(), one_line(error.details() or "")
        if code == grpc.StatusCode.INVALID_ARGUMENT:
            return model_error(text)
        # The same code also means an exhausted quota, which is temporary.
        if code == grpc.StatusCode.RESOURCE_EXHAUSTED and ("larger than max" in text or TOO_LARGE in text):
            return ModelError(f"{self.url}: {text}")
        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            return ModelUnavailable(f"{self.url} did not answer within {self._timeout_s:g} s")
        return ModelUnavailable(f"{self.url} answered {code.name}: {text}")


def _credentials() -> Any:
    """TLS credentials with the CAs of the system, as for https, in place of those built into gRPC."""
    file = ssl.get_default_verify_paths().cafile
    return grpc.ssl_channel_credentials(Path(file).read_bytes() if file else None)
