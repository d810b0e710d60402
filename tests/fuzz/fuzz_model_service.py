"""The application of the model service with two fake models, called in this process or through a socket."""

from __future__ import annotations

import asyncio
import http.client
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "integration" / "lib"))

from running_model_service import running_model_service

from model_service.serving.metrics import Metrics
from model_service.serving.model import Model
from model_service.serving.request_error import MAX_REASON_CHARS
from model_service.serving.runtimes.runtime import Array, TensorSpec
from model_service.serving.server import ModelServer

SLOW_S = 2.0  # the limit of CPU time for one body
FLOAT32 = np.dtype("<f4")


class Forecasts:
    """A model with windows of 6 readings as input and forecasts of 2 steps and 3 quantiles as output."""

    kind = "fake"
    inputs = (TensorSpec("windows", FLOAT32, (-1, 6)),)
    outputs = (TensorSpec("forecast", FLOAT32, (-1, 2, 3)),)

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        return {"forecast": np.repeat(inputs["windows"][:, -1], 6).reshape(-1, 2, 3)}


class Words:
    """A model with an INT32 and a BYTES tensor as input, and doubled numbers and the texts as output."""

    kind = "fake"
    inputs = (TensorSpec("numbers", np.dtype("<i4"), (-1,)), TensorSpec("texts", np.dtype(object), (-1,)))
    outputs = (TensorSpec("doubled", np.dtype("<i4"), (-1,)), TensorSpec("texts", np.dtype(object), (-1,)))

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        return {"doubled": inputs["numbers"] * 2, "texts": inputs["texts"]}


class _Models:
    def __init__(self, *models: Model) -> None:
        self.paths: Mapping[str, Model] = {
            "/": models[0],
            **{path: model for model in models for path in (f"/{model.name}", f"/{model}")},
        }

    def refresh(self) -> Sequence[Model]:
        return ()


def _models() -> _Models:
    return _Models(
        Model("forecast", 1, Forecasts(), '{"window": 6}', {"window": 6, "horizon": 2}),
        Model("words", 1, Words()),
    )


Headers = Sequence[tuple[str, str]]


class Target(Protocol):
    """Where bodies are sent to."""

    name: str

    async def post(self, path: str, body: bytes, headers: Headers = ()) -> tuple[int, bytes]:
        """Return status and body of the answer."""


class InProcess:
    """The application, called as a server calls it."""

    name = "in process"

    async def __aenter__(self) -> InProcess:
        self._models = _models()
        self._app = ModelServer(self._models, Metrics())
        return self

    async def __aexit__(self, *_: object) -> None:
        for model in set(self._models.paths.values()):
            await model.close()

    async def post(self, path: str, body: bytes, headers: Headers = ()) -> tuple[int, bytes]:
        messages: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            messages.append(message)

        raw = [(name.lower().encode(), value.encode()) for name, value in headers]
        await self._app({"type": "http", "method": "POST", "path": path, "headers": raw}, receive, send)
        return messages[0]["status"], b"".join(message.get("body", b"") for message in messages[1:])


class RealServer:
    """The server of `fncast model-service` in a thread, called over one kept-alive connection."""

    name = "server"

    async def __aenter__(self) -> RealServer:
        self._running = running_model_service(_models())
        url = urlsplit((await asyncio.to_thread(self._running.__enter__)).url)
        self._connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=60)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._connection.close()
        await asyncio.to_thread(self._running.__exit__, None, None, None)

    async def post(self, path: str, body: bytes, headers: Headers = ()) -> tuple[int, bytes]:
        try:
            return self._exchange(path, body, headers)
        except (ConnectionError, http.client.HTTPException):
            self._connection.close()  # the server had closed it because it was idle
            return self._exchange(path, body, headers)

    def _exchange(self, path: str, body: bytes, headers: Headers) -> tuple[int, bytes]:
        self._connection.request("POST", path, body, dict(headers))
        answer = self._connection.getresponse()
        return answer.status, answer.read()


def check_reason(reason: str) -> None:
    """Check that a rejection has a reason of bounded length. Raises AssertionError."""
    assert reason
    assert len(reason) <= MAX_REASON_CHARS + 100, f"a reason of {len(reason)} characters"
