"""Listeners with the application of each process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import closing
from types import MappingProxyType
from typing import Any

from consumer.admin import Admin
from fncast.dashboard.kafka.broker_state import BrokerState
from fncast.dashboard.page import Page
from fncast.dashboard.state import PageState
from fncast.dashboard.topics import PageTopics
from fncast.http.listener import bind
from fncast.http.security import OPEN, Security
from fncast.http.server import build_server
from functions.host.app import FunctionHost
from model_service.serving.metrics import Metrics
from model_service.serving.server import ModelServer
from tests.fncast.http.connections import rest_of
from tests.waiting import eventually


class NoRecords:
    """A reader that never has records."""

    state = BrokerState(True, 1.0)

    def start(self) -> None: ...

    def close(self) -> None: ...

    def take(self, timeout_s: float = 0.0) -> list[Any]:
        return []


class NoModels:
    """A folder without models."""

    paths: Mapping[str, Any] = MappingProxyType({})

    def refresh(self) -> tuple[()]:
        return ()


class Consumer:
    """A consumer that is ready."""

    def health(self) -> dict[str, Any]:
        return {"alive": True, "ready": True}


APPLICATIONS: dict[str, tuple[Callable[[], Any], str]] = {
    "dashboard": (lambda: Page(NoRecords(), PageState(PageTopics(), 0.0)), "/state"),
    "functions": (lambda: FunctionHost([], {}), "/v2/apps"),
    "model-service": (lambda: ModelServer(NoModels(), Metrics()), "/v2"),
    "consumer": (lambda: Admin(Consumer()), "/metrics"),
}


class Running:
    """A listener in a thread."""

    def __init__(self, app: Any, security: Security = OPEN, guard: Any = None) -> None:
        listener = bind("127.0.0.1", 0)
        self.address = listener.getsockname()
        self.server = build_server(app, security, *([guard] if guard else []))
        self.server.takes_signals = False
        self._thread = threading.Thread(target=self.server.run, kwargs={"sockets": [listener]})
        self._thread.start()
        eventually(lambda: self.server.started)

    def connect(self, sent: bytes = b"") -> socket.socket:
        connection = socket.create_connection(self.address, timeout=20)
        connection.sendall(sent)
        return connection

    def request(self, path: str, *fields: str, method: str = "GET", body: bytes = b"") -> bytes:
        """The whole response."""
        lines = [f"{method} {path} HTTP/1.1", "connection: close", f"content-length: {len(body)}", *fields]
        if not any(field.lower().startswith("host:") for field in fields):
            lines.append("Host: localhost")
        with closing(self.connect("\r\n".join([*lines, "", ""]).encode() + body)) as connection:
            return rest_of(connection)

    def close(self) -> None:
        self.server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()


Listen = Callable[..., Running]
