"""A model service whose model answers at once. It prints its addresses on stderr.

`python -m benchmarks.serving.protocol_service`
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from fncast.http.server import bind, server
from model_service.inference_protocol.grpc_server import GrpcServer
from model_service.metrics import Metrics
from model_service.model import Model
from model_service.repository import SingleModel
from model_service.runtime import TensorSpec
from model_service.server import ModelServer

WINDOW, HORIZON, QUANTILES = 48, 12, 3
DETAILS = {"window": WINDOW, "horizon": HORIZON, "quantiles": [0.1, 0.5, 0.9]}


class InstantModel:
    """A runtime that answers at once with noise, in the shape of a real answer."""

    kind = "instant"

    def __init__(self) -> None:
        float32 = np.dtype(np.float32)
        self.inputs: tuple[TensorSpec, ...] = (TensorSpec("windows", float32, (-1, WINDOW)),)
        self.outputs: tuple[TensorSpec, ...] = (TensorSpec("forecast", float32, (-1, HORIZON, QUANTILES)),)
        self._noise = np.random.default_rng(0).normal(size=(4096, HORIZON, QUANTILES)).astype(np.float32)

    def run(self, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"forecast": self._noise[: len(inputs["windows"])]}


def serve() -> None:
    """Serve until SIGINT or SIGTERM. Prints the addresses on stderr once the service is ready."""
    models = SingleModel(Model("forecast", 1, InstantModel(), orjson.dumps(DETAILS).decode(), DETAILS))
    listener = bind("127.0.0.1", 0)
    with bind("127.0.0.1", 0) as probe:
        grpc_port = probe.getsockname()[1]
    running = server(ModelServer(models, Metrics(), companion=GrpcServer(models, "127.0.0.1", grpc_port)))
    host, port = listener.getsockname()
    running.ready = f"http://{host}:{port} grpc://{host}:{grpc_port}"
    running.run(sockets=[listener])


if __name__ == "__main__":
    serve()
