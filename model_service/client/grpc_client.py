"""The Open Inference Protocol over gRPC, tensors as raw bytes. The one client that imports grpc."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from google.protobuf.message import DecodeError

from model_service.client import model_address
from model_service.client.http_connection import (
    CONNECT_TIMEOUT_S,
    MAX_ANSWER_BYTES,
    address,
    check_token,
)
from model_service.client.interface import (
    Answer,
    Float32Array,
    ModelError,
    ModelUnavailable,
    checked,
    one_line,
    refusal,
)
from model_service.client.model_address import ModelAddress
from model_service.protocols.graphpipe import MetadataResponse
from model_service.protocols.open_inference import messages_pb2 as messages
from model_service.protocols.open_inference.grpc_tensors import read_outputs
from model_service.protocols.open_inference.tensor import TOO_LARGE, InvalidTensor

_SERVICE = "/inference.GRPCInferenceService"
# Whether to try an address again is decided by who calls; gRPC itself would wait up to two minutes.
_RECONNECT_MS = 100
_OPTIONS = (
    ("grpc.max_receive_message_length", MAX_ANSWER_BYTES),
    ("grpc.max_send_message_length", -1),
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", _RECONNECT_MS),
    ("grpc.max_reconnect_backoff_ms", _RECONNECT_MS),
    ("grpc.min_reconnect_backoff_ms", int(CONNECT_TIMEOUT_S * 1000)),  # in truth the time to connect
)


class GrpcClient:
    """A `ModelClient` of one server of this protocol."""

    def __init__(self, url: str, timeout_s: float = 10.0, token: str = "") -> None:
        """url: `grpc://host:port/path`, or grpcs; the path names the model, see ModelAddress. A server's certificate
        must be one that the system trusts, or SSL_CERT_FILE in the environment. timeout_s: bounds a call.
        token: bearer token, or empty. Raises ValueError for a bad one; connects at the first call."""
        parts = address(url, ("grpc", "grpcs"))
        check_token(token)
        if parts.port is None:
            raise ValueError(f"{url!r} is no address of a model service; the port is missing")
        self.url = url
        self._model = ModelAddress.of(url, parts.path)
        self._timeout_s = timeout_s
        self._metadata = (("authorization", f"Bearer {token}"),) if token else ()
        target = parts.netloc.rpartition("@")[2]
        if parts.scheme == "grpcs":
            self._channel = grpc.secure_channel(target, _credentials(), _OPTIONS)
        else:
            self._channel = grpc.insecure_channel(target, _OPTIONS)
        self._input = ""  # its name: the metadata tell it

    def infer(self, windows: Float32Array) -> Answer:
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
            raise ModelUnavailable(f"{self.url} answered no inference: {error}") from None
        name, version = response.model_name or None, response.model_version or None
        return Answer(checked(self.url, outputs, len(windows)), name, version)

    def metadata(self) -> MetadataResponse:
        request = messages.ModelMetadataRequest(name=self._model.name, version=self._model.version)
        told = self._call("ModelMetadata", request, messages.ModelMetadataResponse)
        if not told.inputs:
            raise ModelUnavailable(f"{self.url} tells no input of its model")
        self._input = told.inputs[0].name
        return model_address.metadata(
            told.name,
            [(each.name, each.datatype, tuple(each.shape)) for each in told.inputs],
            {name: parameter.string_param for name, parameter in told.parameters.items()},
        )

    def close(self) -> None:
        self._channel.close()

    def _call(self, method: str, request: Any, answer: Any) -> Any:
        """Raises ModelUnavailable, InvalidShape, ModelError."""
        call = self._channel.unary_unary(f"{_SERVICE}/{method}")
        try:
            return answer.FromString(
                call(request.SerializeToString(), timeout=self._timeout_s, metadata=self._metadata)
            )
        except grpc.RpcError as error:
            raise self._failure(error) from None
        except DecodeError:
            raise ModelUnavailable(f"{self.url} answered no message of this protocol") from None

    def _failure(self, error: Any) -> Exception:
        code, text = error.code(), one_line(error.details() or "")
        if code == grpc.StatusCode.INVALID_ARGUMENT:
            return refusal(text)
        # The same code is a quota that is used up, which passes.
        if code == grpc.StatusCode.RESOURCE_EXHAUSTED and ("larger than max" in text or TOO_LARGE in text):
            return ModelError(f"{self.url}: {text}")
        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            return ModelUnavailable(f"{self.url} did not answer within {self._timeout_s:g} s")
        return ModelUnavailable(f"{self.url} answered {code.name}: {text}")


def _credentials() -> Any:
    """gRPC brings CAs of its own; those of the system go first, as with https."""
    file = ssl.get_default_verify_paths().cafile
    return grpc.ssl_channel_credentials(Path(file).read_bytes() if file else None)
