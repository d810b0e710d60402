"""The ASGI application over models that a test sets, called as a server calls it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from model_service.protocols import graphpipe
from model_service.serving.metrics import Metrics
from model_service.serving.model import Model
from model_service.serving.runtimes.runtime import Array
from model_service.serving.server import ModelServer

MODEL_DETAILS = {"window": 6, "horizon": 2, "quantiles": [0.1, 0.5, 0.9]}


WINDOWS = np.arange(12, dtype=np.float32).reshape(2, 6)


FORECAST = WINDOWS.mean(1)[:, None, None] + np.arange(2)[:, None] + np.arange(3)[None, :]


class RefreshedRepository:
    """Models that the test sets; `gone` is returned by the next refresh."""

    def __init__(self) -> None:
        self.paths: Mapping[str, Model] = {}
        self.refreshed = asyncio.Event()
        self.gone: list[Model] = []
        self._loop = asyncio.get_running_loop()

    def refresh(self) -> Sequence[Model]:
        self._loop.call_soon_threadsafe(self.refreshed.set)
        gone, self.gone = self.gone, []
        if not self.paths:
            raise RuntimeError("a bug in the shelf")
        return gone


class CollectedResponse:
    def __init__(self, messages: list[Any]) -> None:
        self.status = messages[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        self.body = b"".join(message.get("body", b"") for message in messages[1:])
        assert self.headers["content-length"] == str(len(self.body)) or not self.body

    def errors(self) -> tuple[graphpipe.ErrorMessage, ...]:
        return graphpipe.decode_infer_response(self.body).errors


class AsgiService:
    def __init__(self, shelf: RefreshedRepository) -> None:
        self.shelf = shelf
        self.metrics = Metrics()
        self.app = ModelServer(shelf, self.metrics, poll_s=0.001)

    async def call(
        self, method: str, path: str, *chunks: bytes, headers: Sequence[tuple[bytes, bytes]] = ()
    ) -> CollectedResponse:
        parts = iter(chunks or (b"",))
        last = len(chunks) <= 1
        left = len(chunks) or 1

        async def receive() -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": next(parts), "more_body": left > 0 and not last}

        messages: list[Any] = []

        async def send(message: Any) -> None:
            messages.append(message)

        await self.app({"type": "http", "method": method, "path": path, "headers": headers}, receive, send)
        return CollectedResponse(messages)

    async def infer(self, *tensors: Array, path: str = "/", **names: Any) -> CollectedResponse:
        return await self.call(
            "POST", path, graphpipe.encode_request(graphpipe.InferRequest(tensors, **names))
        )
