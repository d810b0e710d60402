"""The methods of the gRPC server: the Open Inference Protocol, and the standard health service for supervisors."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import grpc
from google.protobuf.message import DecodeError

from fncast.http.bearer import is_bearer
from model_service.protocols.open_inference import messages_pb2 as messages
from model_service.protocols.open_inference import model_metadata
from model_service.protocols.open_inference.grpc_limits import unary_handler
from model_service.protocols.open_inference.grpc_size import check_size
from model_service.protocols.open_inference.grpc_tensors import read_inputs, write_outputs
from model_service.protocols.open_inference.tensor import MAX_TYPED_VALUES, TOO_LARGE, InvalidTensor
from model_service.serving.model import Model, server_version
from model_service.serving.repository import Models, find
from model_service.serving.request_body import RequestBodies
from model_service.serving.request_error import RequestError, malformed, to_request_error

log = logging.getLogger(__name__)

SERVICE = "inference.GRPCInferenceService"
HEALTH = "grpc.health.v1.Health"
# The text of an error is sent as an HTTP/2 header, in which a character may need 12 bytes. If the header exceeds 8 KiB,
# the client receives neither text nor status code.
MAX_REASON = 600
_CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    401: grpc.StatusCode.UNAUTHENTICATED,
    404: grpc.StatusCode.NOT_FOUND,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    500: grpc.StatusCode.INTERNAL,
    503: grpc.StatusCode.UNAVAILABLE,
}

Response = Awaitable[Any]


class Message(Protocol):
    """A generated protobuf message class."""

    def FromString(self, data: bytes) -> Any: ...


class InferenceService:
    """Answers the calls of a server. Owned by `GrpcServer`, and used from its event loop only."""

    def __init__(self, models: Models, token: str) -> None:
        """token: expected as `authorization: Bearer …` for all but health; empty for no check."""
        self._models = models
        self._expected = token
        self._bodies = RequestBodies()

    def handlers(self) -> tuple[Any, ...]:
        """The handlers of both services, for `add_generic_rpc_handlers`."""
        public = {
            "ServerLive": self._method(messages.ServerLiveRequest, self._server_live),
            "ServerReady": self._method(messages.ServerReadyRequest, self._server_ready),
        }
        guarded = {
            "ModelReady": self._method(messages.ModelReadyRequest, self._model_ready, True),
            "ServerMetadata": self._method(messages.ServerMetadataRequest, self._server_metadata, True),
            "ModelMetadata": self._method(messages.ModelMetadataRequest, self._model_metadata, True),
            "ModelInfer": self._method(messages.ModelInferRequest, self._model_infer, True),
        }
        health = {"Check": self._method(messages.HealthCheckRequest, self._health_check)}
        return (
            grpc.method_handlers_generic_handler(SERVICE, {**public, **guarded}),
            grpc.method_handlers_generic_handler(HEALTH, health),
        )

    def _method(self, message: Message, respond: Callable[[Any], Response], is_guarded: bool = False) -> Any:
        """The handler of a method. respond: takes the request message, returns the response, raises RequestError."""

        async def call(data: bytes, context: Any) -> bytes:
            held_bytes = 0
            try:
                if is_guarded and self._expected:
                    self._authorize(context)
                # Already in memory; the limit applies while it waits for the model.
                self._bodies.hold(len(data))
                held_bytes = len(data)
                check_size(data, message is messages.ModelInferRequest)
                response: bytes = (await respond(message.FromString(data))).SerializeToString()
                return response
            except DecodeError:
                status, reason = 400, "the message is not the protobuf message of this method"
            except RequestError as error:
                status = error.status
                reason = f"{TOO_LARGE}: {error}" if status == 413 else str(error)
            except Exception as error:  # a bug; gRPC would not log it
                log.exception("a gRPC call failed")
                status, reason = 500, f"the call failed: {type(error).__name__}: {error}"
            finally:
                self._bodies.release(held_bytes)
            await context.abort(_CODES[status], reason[:MAX_REASON])
            raise AssertionError("abort raises")

        return unary_handler(call)  # without codecs: bytes in, bytes out

    def _authorize(self, context: Any) -> None:
        """Check the bearer token. Raises RequestError."""
        given = [value for name, value in context.invocation_metadata() if name == "authorization"]
        if len(given) != 1 or not is_bearer(str(given[0]).encode(), self._expected.encode()):
            raise RequestError(401, "a bearer token is needed")

    def _find(self, name: str, version: str) -> Model:
        """The model of a request. Raises RequestError."""
        if not name or "/" in name:  # consistent with REST, whose paths cannot contain these either
            raise RequestError(404, f"{name[:200]!r} is not a model name")
        return find(self._models, model_metadata.path_of(name, version))

    async def _server_live(self, _: Any) -> Any:
        return messages.ServerLiveResponse(live=True)

    async def _server_ready(self, _: Any) -> Any:
        return messages.ServerReadyResponse(ready=bool(self._models.paths))

    async def _model_ready(self, request: Any) -> Any:
        try:
            self._find(request.name, request.version)
        except RequestError:
            return messages.ModelReadyResponse(ready=False)
        return messages.ModelReadyResponse(ready=True)

    async def _server_metadata(self, _: Any) -> Any:
        return messages.ServerMetadataResponse(name=model_metadata.SERVER, version=server_version())

    async def _model_metadata(self, request: Any) -> Any:
        model = self._find(request.name, request.version)
        response = messages.ModelMetadataResponse(
            name=model.name,
            versions=model_metadata.versions(self._models, model),
            platform=model.runtime.kind,
            inputs=model_metadata.tensors(model.runtime.inputs),
            outputs=model_metadata.tensors(model.runtime.outputs),
        )
        for name, text in model_metadata.parameters(model).items():
            response.parameters[name].string_param = text
        return response

    async def _model_infer(self, request: Any) -> Any:
        model = self._find(request.model_name, request.model_version)
        try:
            tensors = read_inputs(request)
            names = model.requested_outputs([output.name for output in request.outputs])
            outputs = await model.submit(tensors, [each.name for each in request.inputs])
        except InvalidTensor as error:
            raise malformed(str(error), model, model_metadata.input_summary(model)) from None
        except Exception as error:
            raise to_request_error(error, model) from None
        is_raw = bool(request.raw_input_contents)
        values = sum(outputs[name].size for name in names)
        if not is_raw and values > MAX_TYPED_VALUES:
            raise RequestError(
                413,
                f"the response has {values} typed values; at most {MAX_TYPED_VALUES} are sent. Raw contents have no "
                "such limit: send the inputs as raw contents",
            )
        response = messages.ModelInferResponse(
            model_name=model.name, model_version=str(model.version), id=request.id
        )
        write_outputs(response, names, outputs, is_raw)
        return response

    async def _health_check(self, request: Any) -> Any:
        if request.service not in ("", SERVICE):
            raise RequestError(404, f"no service {request.service!r}")
        status = messages.HealthCheckResponse.ServingStatus
        return messages.HealthCheckResponse(
            status=status.SERVING if self._models.paths else status.NOT_SERVING
        )
