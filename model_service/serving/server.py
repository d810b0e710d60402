"""The ASGI application of the model service: routes requests to the protocols and watches for new versions."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Protocol

from model_service.protocols.graphpipe.endpoint import GraphPipeEndpoint
from model_service.protocols.open_inference.rest_endpoint import RestEndpoint
from model_service.serving.http_response import (
    JSON,
    TEXT,
    Headers,
    Receive,
    Scope,
    Send,
    error_headers,
    error_json,
    send_response,
)
from model_service.serving.metrics import Metrics
from model_service.serving.model import Model
from model_service.serving.repository import Models
from model_service.serving.request_body import RequestBodies
from model_service.serving.request_error import RequestError

log = logging.getLogger(__name__)

POLL_S = 1.0
# After a failed refresh the interval doubles, up to this.
MAX_POLL_S = 30.0


class Companion(Protocol):
    """Runs beside the application in its event loop, for example the gRPC server."""

    async def start(self) -> None:
        """Raises OSError."""

    async def stop(self) -> None: ...


class ModelServer:
    """Serves GraphPipe at /, /<name>, /<name>/<version>; the Open Inference Protocol at /v2; health and metrics."""

    def __init__(
        self, models: Models, metrics: Metrics, poll_s: float = POLL_S, companion: Companion | None = None
    ) -> None:
        """models: refreshed every `poll_s` seconds while the application runs. companion: started and stopped with the
        application.
        """
        self._models = models
        self._metrics = metrics
        self._poll_s = poll_s
        self._companion = companion
        bodies = RequestBodies()
        self._graphpipe = GraphPipeEndpoint(models, bodies)
        self._rest = RestEndpoint(models, bodies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] != "http":
            raise NotImplementedError(f"scope type {scope['type']} is not supported")
        elif scope["path"].startswith("/v2/") or scope["path"] == "/v2":
            await self._rest(scope, receive, send)
        elif scope["method"] == "POST":
            await self._graphpipe.post(scope, receive, send)
        else:
            await self._get(scope, send)

    async def _get(self, scope: Scope, send: Send) -> None:
        """Answer a request that is neither POST nor of /v2: health, metrics, the metadata of GraphPipe, or 405."""
        path = scope["path"]
        status, body = 200, b"ok\n"
        headers: Headers = [TEXT]
        if scope["method"] not in ("GET", "HEAD"):
            reason = f"{scope['method'][:20]} is not supported; use GET or POST"
            status, body, headers = 405, error_json(reason), [JSON, (b"allow", b"GET, HEAD, POST")]
        elif path in ("/healthz", "/control/is_alive"):
            pass
        elif path in ("/readyz", "/control/is_ready"):
            if not self._models.paths:
                status, body = 503, b"no model is in service\n"
        elif path == "/metrics":
            headers, body = [(b"content-type", self._metrics.content_type.encode())], self._metrics.page()
        else:
            try:
                headers, body = self._graphpipe.get(path)
            except RequestError as error:
                status, body, headers = error.status, error_json(error), error_headers(error.status, JSON)
        await send_response(send, status, headers, b"" if scope["method"] == "HEAD" else body)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        """Handle the ASGI lifespan: run the companion and the watch from start-up to shutdown."""
        await receive()
        if self._companion is not None:
            try:
                await self._companion.start()
            except Exception as error:  # else uvicorn would serve without the watch and the companion
                is_known = isinstance(error, OSError)
                message = str(error) if is_known else f"the start failed: {type(error).__name__}: {error}"
                if not is_known:
                    log.exception("the start failed")
                await send({"type": "lifespan.startup.failed", "message": message})
                return
        watch = asyncio.create_task(self._watch())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        watch.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watch
        if self._companion is not None:
            try:
                await self._companion.stop()
            except Exception:
                log.exception("stopping failed")
        await send({"type": "lifespan.shutdown.complete"})

    async def _watch(self) -> None:
        """Refresh the models until cancelled. After an error the loaded versions stay in service."""
        closing: set[asyncio.Task[None]] = set()
        wait_s = self._poll_s
        while True:
            await asyncio.sleep(wait_s)
            try:
                gone = await asyncio.to_thread(self._models.refresh)
            except asyncio.CancelledError:
                raise
            except BaseException:  # the code of a model may even call exit() while it is loaded
                wait_s = min(2 * wait_s, max(MAX_POLL_S, self._poll_s))
                log.exception(
                    "looking for new versions failed; the loaded versions stay in service; next attempt in %g s",
                    wait_s,
                )
                continue
            wait_s = self._poll_s
            for model in gone:
                task = asyncio.create_task(_close(model))
                closing.add(task)
                task.add_done_callback(closing.discard)


async def _close(model: Model) -> None:
    """Close a model that is no longer served. Never raises."""
    try:
        await model.close()
    except Exception:
        log.exception("%s is no longer served, but closing it failed", model)
