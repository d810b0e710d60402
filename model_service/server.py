"""The GraphPipe server: a plain ASGI application."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from model_service import graphpipe
from model_service.metrics import Metrics
from model_service.model import DoesNotFit, Model, UnknownTensor
from model_service.repository import Models
from model_service.request_body import Message, RequestBodies
from model_service.request_error import RequestError
from model_service.request_queue import Overloaded
from model_service.runtime import RefusedInput

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

RETRY_AFTER_S = 1
POLL_S = 1.0

_BINARY = (b"content-type", b"application/octet-stream")
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_JSON = (b"content-type", b"application/json")


class ModelServer:
    """POST / , /<name> , /<name>/<version>: GraphPipe requests. GET of the same: the metadata as JSON.

    An error is answered with its HTTP status and, as the body, an InferResponse with the error: some clients
    look at one and some at the other. A status of 400 means that the request itself is wrong."""

    def __init__(self, models: Models, metrics: Metrics, poll_s: float = POLL_S) -> None:
        """models: refreshed every `poll_s` seconds while the application lives."""
        self._models = models
        self._metrics = metrics
        self._poll_s = poll_s
        self._bodies = RequestBodies()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] != "http":
            raise NotImplementedError(f"no {scope['type']} here")
        elif scope["method"] == "POST":
            await self._post(scope, receive, send)
        else:
            await self._get(scope, send)

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers: Headers
        held_bytes = 0
        try:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body: bytes | bytearray = message["body"]
            if message.get("more_body"):
                body = await self._bodies.read(message, receive)
                held_bytes = len(body)
            model = self._model(scope["path"])
            answer, headers = await self._answer(model, body), _told_by(model)
            status = 200
        except RequestError as error:
            errors = (graphpipe.ErrorMessage(error.code, str(error)),)
            answer = graphpipe.encode_infer_response(graphpipe.InferResponse(errors=errors))
            status, headers = error.status, [_BINARY]
            if status == 503:
                headers.append((b"retry-after", b"%d" % RETRY_AFTER_S))
            if status == 408:
                headers.append((b"connection", b"close"))  # the rest of the body is not read
        except ConnectionError:  # the client went away while it sent
            return
        finally:
            self._bodies.release(held_bytes)
        await _send(send, status, headers, answer)

    async def _answer(self, model: Model, body: bytes | bytearray) -> bytes:
        """Raises RequestError."""
        try:
            request = graphpipe.decode_request(body)
            if isinstance(request, graphpipe.MetadataRequest):
                return graphpipe.encode_metadata_response(model.metadata)
            names = model.asked(request)
            outputs = await model.submit(request)
            return graphpipe.encode_infer_response(
                graphpipe.InferResponse(tuple([outputs[name] for name in names]))
            )
        except graphpipe.InvalidMessage as error:
            raise RequestError(400, f"no GraphPipe request: {error}") from None
        except DoesNotFit as error:
            raise RequestError(400, str(error), graphpipe.DOES_NOT_FIT) from None
        except (UnknownTensor, RefusedInput) as error:
            raise RequestError(400, str(error)) from None
        except Overloaded as error:
            raise RequestError(503, str(error)) from None
        except Exception as error:  # the model failed: its bug, and to be seen in the log
            log.exception("%s failed", model)
            raise RequestError(500, f"{model} failed: {type(error).__name__}: {error}") from None

    def _model(self, path: str) -> Model:
        """Raises RequestError: 404, or 503 while no model at all is in service."""
        paths = self._models.paths
        model = paths.get(path) or paths.get(path.rstrip("/"))
        if model is not None:
            return model
        if not paths:
            raise RequestError(503, "no model is in service yet")
        known = ", ".join(sorted(paths))
        raise RequestError(404, f"no model at {path[:200]!r}; there are {known[:1000]}")

    async def _get(self, scope: Scope, send: Send) -> None:
        path = scope["path"]
        status, kind, body = 200, _TEXT, b"ok\n"
        headers: Headers = []
        if scope["method"] not in ("GET", "HEAD"):
            status, body, headers = 405, b"POST or GET\n", [(b"allow", b"GET, HEAD, POST")]
        elif path in ("/healthz", "/control/is_alive"):
            pass
        elif path in ("/readyz", "/control/is_ready"):
            if not self._models.paths:
                status, body = 503, b"no model is in service\n"
        elif path == "/metrics":
            kind, body = (b"content-type", self._metrics.content_type.encode()), self._metrics.page()
        else:
            try:
                model = self._model(path)
                kind, body, headers = _JSON, _metadata_json(model.metadata), _told_by(model)[1:]
            except RequestError as error:
                status, body = error.status, f"{error}\n".encode()
        await _send(send, status, [kind, *headers], b"" if scope["method"] == "HEAD" else body)

    async def _live(self, receive: Receive, send: Send) -> None:
        """The lifespan protocol: watch the models from start-up to shutdown."""
        await receive()
        watch = asyncio.create_task(self._watch())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch
        await send({"type": "lifespan.shutdown.complete"})

    async def _watch(self) -> None:
        closing: set[asyncio.Task[None]] = set()
        while True:
            await asyncio.sleep(self._poll_s)
            try:
                gone = await asyncio.to_thread(self._models.refresh)
            except Exception:  # a bug, and no reason to end the service of what is loaded
                log.exception("looking for new versions failed; what is loaded stays in service")
                continue
            for model in gone:
                task = asyncio.create_task(model.close())
                closing.add(task)
                task.add_done_callback(closing.discard)


def _told_by(model: Model) -> Headers:
    return [_BINARY, (b"model-name", model.name.encode()), (b"model-version", b"%d" % model.version)]


async def _send(send: Send, status: int, headers: Headers, body: bytes) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


def _metadata_json(metadata: graphpipe.MetadataResponse) -> bytes:
    """What the reference server answers to GET /."""

    def described(ios: tuple[graphpipe.IOMetadata, ...]) -> list[dict[str, object]]:
        return [
            {"Name": io.name, "Description": io.description, "Shape": list(io.shape), "Type": io.type.name}
            for io in ios
        ]

    return json.dumps(
        {
            "Name": metadata.name,
            "Version": metadata.version,
            "Server": metadata.server,
            "Description": metadata.description,
            "Inputs": described(metadata.inputs),
            "Outputs": described(metadata.outputs),
        }
    ).encode()
