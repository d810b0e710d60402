"""The model service in a thread, with models of the test, for clients of every protocol."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from kafka_container import free_port

from fncast.http.listener import bind
from fncast.http.server import build_server
from model_service.protocols.open_inference.grpc_server import GrpcServer
from model_service.serving.metrics import Metrics
from model_service.serving.model import Model
from model_service.serving.repository import Models
from model_service.serving.server import ModelServer


class FakeRepository:
    """The models of the service. A test replaces them."""

    def __init__(self) -> None:
        self.paths: Mapping[str, Model] = {}

    def refresh(self) -> Sequence[Model]:
        return ()


@dataclass(frozen=True)
class Addresses:
    """The addresses of the service. url: HTTP. grpc: host:port."""

    url: str
    grpc: str


@contextmanager
def running_model_service(models: Models) -> Iterator[Addresses]:
    grpc_port = free_port()
    listener = bind("127.0.0.1", 0)
    companion = GrpcServer(models, "127.0.0.1", grpc_port)
    running = build_server(ModelServer(models, Metrics(), companion=companion))
    # Signals belong to the main thread.
    running.capture_signals = lambda: threading.Lock()  # type: ignore[method-assign,assignment,return-value]
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not running.started:
            assert thread.is_alive()
            thread.join(0.005)
        yield Addresses("http://{}:{}".format(*listener.getsockname()), f"127.0.0.1:{grpc_port}")
    finally:
        running.should_exit = True
        thread.join(10)
    assert not thread.is_alive()
