"""The forecast function's modules, importable as the FDK makes them: from the function's own folder; and a real
model service for them to call."""

import json
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from commands.serve import bind, server
from model_service import model as served
from model_service.inference_protocol.grpc_server import GrpcServer
from model_service.metrics import Metrics
from model_service.runtime import Array, TensorSpec
from model_service.server import ModelServer

sys.path.insert(0, str(Path(__file__).parents[2] / "functions" / "forecast"))

FLOAT32 = np.dtype(np.float32)


class Naive:
    """Repeats the last reading, one up or down for the outer quantiles. A foreign one gives the median alone."""

    kind = "naive"

    def __init__(self, window: int, horizon: int, is_foreign: bool = False) -> None:
        self.inputs = (TensorSpec("windows", FLOAT32, (-1, window)),)
        shape = (-1, horizon) if is_foreign else (-1, horizon, 3)
        self.outputs = (TensorSpec("forecast", FLOAT32, shape),)
        self._spread = np.zeros(horizon) if is_foreign else np.array([[-1.0, 0.0, 1.0]] * horizon)

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        last = inputs["windows"][:, -1].reshape(-1, *[1] * self._spread.ndim)
        return {"forecast": (last + self._spread).astype(np.float32)}


class Shelf:
    """The models of the service; a test swaps them."""

    def __init__(self) -> None:
        self.paths: Mapping[str, served.Model] = {}

    def refresh(self) -> Sequence[served.Model]:
        return ()

    def put(self, version: int, window: int, horizon: int = 2, is_foreign: bool = False) -> None:
        details: dict[str, Any] = {"window": window, "horizon": horizon, "quantiles": [0.1, 0.5, 0.9]}
        description = "a model" if is_foreign else json.dumps(details)
        runtime = Naive(window, horizon, is_foreign)
        model = served.Model("forecast", version, runtime, description, {} if is_foreign else details)
        self.paths = dict.fromkeys(("/", "/forecast", f"/forecast/{version}"), model)


@pytest.fixture
def shelf() -> Shelf:
    """The models of the service at `model_url`; none at first."""
    return Shelf()


@pytest.fixture
def grpc_url(model_url: str, grpc_port: int) -> str:
    """Where the same service answers gRPC."""
    return f"grpc://127.0.0.1:{grpc_port}"


@pytest.fixture
def grpc_port() -> int:
    with bind("127.0.0.1", 0) as probe:
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def model_url(shelf: Shelf, grpc_port: int) -> Iterator[str]:
    """The address of a running model service."""
    listener = bind("127.0.0.1", 0)
    companion = GrpcServer(shelf, "127.0.0.1", grpc_port)
    running = server(ModelServer(shelf, Metrics(), companion=companion))
    # Signals belong to the main thread.
    running.capture_signals = lambda: threading.Lock()  # type: ignore[method-assign,assignment,return-value]
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    while not running.started:
        assert thread.is_alive()
        thread.join(0.005)
    yield "http://{}:{}".format(*listener.getsockname())
    running.should_exit = True
    thread.join(10)
    assert not thread.is_alive()
