"""The gRPC server: the Open Inference Protocol, and the standard health service for supervisors of the process."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

import grpc
import grpc.aio
from google.protobuf.message import DecodeError

from fncast.http.bearer import is_bearer
from model_service.protocols.open_inference import messages_pb2 as messages
from model_service.protocols.open_inference import model_metadata
from model_service.protocols.open_inference.grpc_limits import OPTIONS, unary_handler
from model_service.protocols.open_inference.grpc_size import check_size
from model_service.protocols.open_inference.grpc_tensors import read_inputs, write_outputs
from model_service.protocols.open_inference.tensor import MAX_TYPED_VALUES, TOO_LARGE, InvalidTensor
from model_service.serving.model import Model, server_version
from model_service.serving.repository import Models, find
from model_service.serving.request_body import MAX_BODY_BYTES, RequestBodies
from model_service.serving.request_error import RequestError, malformed, to_request_error
from model_service.serving.request_queue import MAX_WAITING_REQUESTS

log = logging.getLogger(__name__)

SERVICE = "inference.GRPCInferenceService"
HEALTH = "grpc.health.v1.Health"
# Time for running calls to finish when the server stops.
GRACE_S = 1.0
# A server that terminated unexpectedly is restarted after RESTART_S. The delay doubles up to MAX_RESTART_S.
RESTART_S, MAX_RESTART_S = 1.0, 30.0
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


@dataclass(frozen=True)
class Credentials:
    """certificate, key: PEM, both or neither. token: expected as `authorization: Bearer …`; empty for no check."""

    certificate: bytes = b""
    key: bytes = b""
    token: str = ""

    def __repr__(self) -> str:
        return f"Credentials(certificate={'set' if self.certificate else 'none'})"


class GrpcServer:
    """Serves the same models as the HTTP server. Start and stop it in the event loop of that server."""

    def __init__(
        self,
        models: Models,
        host: str,
        port: int,
        credentials: Credentials = Credentials(),
        reserved: socket.socket | None = None,
    ) -> None:
        """reserved: a socket bound to the port, so that no other process can take it; closed by `start`."""
        self._models = models
        self._reserved = reserved
        self._address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._credentials = credentials
        self._expected = credentials.token
        self._bodies = RequestBodies()
        self._server: Any = None
        self._supervisor: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the server. Raises OSError if it cannot listen on the port."""
        self._server = await self._start_server()
        self._supervisor = asyncio.create_task(self._supervise())

    async def stop(self) -> None:
        """Stop the server; running calls get GRACE_S seconds."""
        if self._supervisor is not None:
            self._supervisor.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._supervisor
        if self._server is not None:
            await self._server.stop(GRACE_S)

    async def _supervise(self) -> None:
        """Restart the server whenever it terminates unexpectedly. Runs until cancelled."""
        while True:
            try:
                # Shielded, because `stop` waits for the same future of gRPC, and cancelling this task would cancel it.
                await asyncio.shield(self._server.wait_for_termination())
                log.error("the gRPC server on %s terminated; restarting it", self._address)
            except Exception:
                log.exception("the gRPC server on %s failed; restarting it", self._address)
            self._server = await self._restart_server()

    async def _restart_server(self) -> Any:
        wait_s = RESTART_S
        while True:
            await asyncio.sleep(wait_s)
            try:
                return await self._start_server()
            except Exception as error:
                wait_s = min(2 * wait_s, MAX_RESTART_S)
                log.error("gRPC cannot be restarted: %s; next attempt in %g s", error, wait_s)

    async def _start_server(self) -> Any:
        """Start the server. Raises OSError if it cannot listen on the port."""
        options = [
            ("grpc.so_reuseport", 0),  # otherwise a second process could share the port unnoticed
            ("grpc.max_receive_message_length", MAX_BODY_BYTES),
            ("grpc.max_send_message_length", -1),
            (
                "grpc.compression_enabled_algorithms_bitset",
                1,
            ),  # no compression: the size limit applies before decompression only
            *OPTIONS,
        ]
        server = grpc.aio.server(options=options, maximum_concurrent_rpcs=MAX_WAITING_REQUESTS)
        server.add_generic_rpc_handlers(self._handlers())
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None
        try:
            if self._credentials.certificate:
                pair = (self._credentials.key, self._credentials.certificate)
                server.add_secure_port(self._address, grpc.ssl_server_credentials([pair]))
            else:
                server.add_insecure_port(self._address)
        except RuntimeError as error:
            raise OSError(f"gRPC cannot listen on {self._address}: {error}") from None
        await server.start()
        return server

    def _handlers(self) -> tuple[Any, ...]:
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
