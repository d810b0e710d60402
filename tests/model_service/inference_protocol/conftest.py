"""A running model service over fakes, for clients of every protocol."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from commands.serve import bind, server
from model_service.inference_protocol.grpc_server import GrpcServer
from model_service.metrics import Metrics
from model_service.model import Model
from model_service.runtime import Array, TensorSpec
from model_service.server import ModelServer

DETAILS = {"window": 6, "horizon": 2, "quantiles": [0.1, 0.5, 0.9]}


class Words:
    """A model of another kind: an INT32 and a BYTES tensor in, lengths, the texts and doubled numbers out."""

    kind = "fake"
    inputs = (TensorSpec("numbers", np.dtype("<i4"), (-1,)), TensorSpec("texts", np.dtype(object), (-1,)))
    outputs = (
        TensorSpec("doubled", np.dtype("<i4"), (-1,)),
        TensorSpec("lengths", np.dtype("<i8"), (-1,)),
        TensorSpec("texts", np.dtype(object), (-1,)),
    )

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        lengths = np.array([len(text) for text in inputs["texts"]], np.int64)
        return {"doubled": inputs["numbers"] * 2, "lengths": lengths, "texts": inputs["texts"]}


class Shelf:
    """The models in service; a test may change them."""

    def __init__(self) -> None:
        self.paths: Mapping[str, Model] = {}

    def refresh(self) -> Sequence[Model]:
        return ()


@pytest.fixture
def shelf(fake_runtime: Any) -> Shelf:
    """forecast/1 and forecast/2, the later the default; words/1."""
    shelf = Shelf()
    old = Model("forecast", 1, fake_runtime(offset=100), json.dumps(DETAILS), DETAILS)
    new = Model("forecast", 2, fake_runtime(), json.dumps(DETAILS), DETAILS)
    words = Model("words", 1, Words())
    shelf.paths = {
        "/": new,
        "/forecast": new,
        "/forecast/1": old,
        "/forecast/2": new,
        "/words": words,
        "/words/1": words,
    }
    return shelf


@pytest.fixture
def grpc_address(url: str, grpc_port: int) -> str:
    """Where the same service answers gRPC, as host:port."""
    return f"127.0.0.1:{grpc_port}"


@pytest.fixture
def grpc_port() -> int:
    with bind("127.0.0.1", 0) as probe:
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def url(shelf: Shelf, grpc_port: int) -> Iterator[str]:
    """The address of the running service."""
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
