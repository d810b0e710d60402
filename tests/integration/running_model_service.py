"""The model service in a thread, with models of the test, for clients of every protocol."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from fncast.http.listener import bind
from fncast.http.server import build_server
from model_service.protocols.open_inference.grpc_server import GrpcServer
from model_service.serving.metrics import Metrics
from model_service.serving.model import Model
from model_service.serving.repository import Models
from model_service.serving.server import ModelServer

UNASSIGNED_PORTS = (20_000, 30_000)  # below the ports that Linux and macOS assign


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


def free_port() -> int:
    """One that is free, and not of those that the system hands out by itself: between this look and gRPC's somebody
    else would be given it now and then.
    """
    while True:
        port = random.SystemRandom().randrange(*UNASSIGNED_PORTS)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


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
    while not running.started:
        assert thread.is_alive()
        thread.join(0.005)
    yield Addresses("http://{}:{}".format(*listener.getsockname()), f"127.0.0.1:{grpc_port}")
    running.should_exit = True
    thread.join(10)
    assert not thread.is_alive()
