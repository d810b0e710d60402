"""The application of the model service over two fake models, called in this process as a server would call it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import numpy as np

from model_service.metrics import Metrics
from model_service.model import Model
from model_service.runtime import Array, TensorSpec
from model_service.server import ModelServer

# CPU time that no small body may take.
SLOW_S = 2.0
FLOAT32 = np.dtype("<f4")


class Forecasts:
    """Windows of 6 readings in, forecasts of 2 steps and 3 quantiles out."""

    kind = "fake"
    inputs = (TensorSpec("windows", FLOAT32, (-1, 6)),)
    outputs = (TensorSpec("forecast", FLOAT32, (-1, 2, 3)),)

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        return {"forecast": np.repeat(inputs["windows"][:, -1], 6).reshape(-1, 2, 3)}


class Words:
    """An INT32 and a BYTES tensor in, doubled numbers and the texts out."""

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


def served_models() -> tuple[ModelServer, Callable[[], Awaitable[None]]]:
    """The application over forecast/1 and words/1, and what closes the models."""
    models = [
        Model("forecast", 1, Forecasts(), '{"window": 6}', {"window": 6, "horizon": 2}),
        Model("words", 1, Words()),
    ]

    async def close() -> None:
        for model in models:
            await model.close()

    return ModelServer(_Models(*models), Metrics()), close


async def post(
    app: ModelServer, path: str, body: bytes, headers: Sequence[tuple[bytes, bytes]] = ()
) -> tuple[int, bytes]:
    """Status and body of the answer to one POST."""
    messages: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        messages.append(message)

    await app({"type": "http", "method": "POST", "path": path, "headers": headers}, receive, send)
    return messages[0]["status"], b"".join(message.get("body", b"") for message in messages[1:])
