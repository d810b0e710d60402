"""A model service whose model answers at once. It prints its addresses on stderr.

`python -m benchmarks.serving.protocol_service`
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from fncast.http.listener import bind
from fncast.http.server import build_server
from model_service.protocols.open_inference.grpc_server import GrpcServer
from model_service.serving.metrics import Metrics
from model_service.serving.model import Model
from model_service.serving.repository import SingleModel
from model_service.serving.runtimes.runtime import TensorSpec
from model_service.serving.server import ModelServer

WINDOW, HORIZON, QUANTILES = 48, 12, 3
DETAILS = {"window": WINDOW, "horizon": HORIZON, "quantiles": [0.1, 0.5, 0.9]}


class InstantRuntime:
    """A runtime that answers with noise of the real model's shape, without computing."""

    kind = "instant"

    def __init__(self) -> None:
        float32 = np.dtype(np.float32)
        self.inputs: tuple[TensorSpec, ...] = (TensorSpec("windows", float32, (-1, WINDOW)),)
        self.outputs: tuple[TensorSpec, ...] = (TensorSpec("forecast", float32, (-1, HORIZON, QUANTILES)),)
        self._noise = np.random.default_rng(0).normal(size=(4096, HORIZON, QUANTILES)).astype(np.float32)

    def run(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"forecast": self._noise[: len(inputs["windows"])]}


def serve() -> None:
    """Run the service in this process until a signal. Prints its addresses on stderr once it answers."""
    models = SingleModel(Model("forecast", 1, InstantRuntime(), orjson.dumps(DETAILS).decode(), DETAILS))
    listener = bind("127.0.0.1", 0)
    with bind("127.0.0.1", 0) as probe:
        grpc_port = probe.getsockname()[1]
    running = build_server(
        ModelServer(models, Metrics(), companion=GrpcServer(models, "127.0.0.1", grpc_port))
    )
    host, port = listener.getsockname()
    running.ready = f"http://{host}:{port} grpc://{host}:{grpc_port}"
    running.run(sockets=[listener])


if __name__ == "__main__":
    serve()
