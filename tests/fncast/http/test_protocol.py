"""Bounds of every listener: slow clients, large headers, too many connections."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from consumer.admin import Admin
from fncast.dashboard.kafka.broker_state import BrokerState
from fncast.dashboard.page import Page
from fncast.dashboard.state import PageState
from fncast.dashboard.topics import PageTopics
from fncast.http import listener as listener_module
from fncast.http import protocol as bounds
from fncast.http import server as server_module
from fncast.http.listener import bind
from fncast.http.login import Login
from fncast.http.security import OPEN, Security
from fncast.http.server import build_server
from functions.host.app import FunctionHost
from model_service.serving.metrics import Metrics
from model_service.serving.server import ModelServer
from tests.fncast.http.connections import rest_of, until

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
TOKEN = "a-token"


class NoRecords:
    state = BrokerState(True, 1.0)

    def start(self) -> None: ...

    def close(self) -> None: ...

    def take(self, timeout_s: float = 0.0) -> list[Any]:
        return []


class NoModels:
    paths: Mapping[str, Any] = MappingProxyType({})

    def refresh(self) -> tuple[()]:
        return ()


class Consumer:
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
        until(lambda: self.server.started)

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


@pytest.fixture
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Timeouts that are short enough for a test."""
    monkeypatch.setattr(bounds, "HEADER_TIMEOUT_S", 0.3)
    monkeypatch.setattr(bounds, "PROGRESS_TIMEOUT_S", 0.5)
    monkeypatch.setattr(bounds, "CLOSE_TIMEOUT_S", 0.3)
    monkeypatch.setattr(server_module, "TICKS_A_SECOND", 1)


Listen = Callable[..., Running]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """listen(application, ...): a running listener. The fixture closes it."""
    opened: list[Running] = []

    def start(*arguments: Any) -> Running:
        opened.append(Running(*arguments))
        return opened[-1]

    yield start
    for each in opened:
        each.close()


@pytest.fixture(params=APPLICATIONS)
def running(request: pytest.FixtureRequest) -> Iterator[tuple[Running, str]]:
    build, path = APPLICATIONS[request.param]
    listening = Running(build())
    yield listening, path
    listening.close()


@pytest.mark.parametrize(
    ("target", "status"),
    [("http://localhost:80", 200), ("http://evil.example.com", 403), ("HTTP://evil.example.com:80", 403)],
)
def test_the_host_of_an_absolute_target_counts_instead_of_the_header(
    running: tuple[Running, str], target: str, status: int
) -> None:
    listening, path = running
    assert listening.request(f"{target}{path}").startswith(f"HTTP/1.1 {status} ".encode())


HALVES = {
    "silent": b"",
    "half a header": b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Half: ",
    "blank lines": b"\r\n",
    "half a body": b"POST / HTTP/1.1\r\nHost: localhost\r\ncontent-length: 100\r\n\r\nhalf",
    "half a chunk": b"POST / HTTP/1.1\r\nHost: localhost\r\ntransfer-encoding: chunked\r\n\r\n64\r\nhalf",
}


@pytest.mark.parametrize("sent", HALVES.values(), ids=HALVES)
def test_a_connection_that_waits_too_long_is_closed(
    short_timeouts: None, running: tuple[Running, str], sent: bytes
) -> None:
    listening, path = running
    with closing(listening.connect(sent)) as connection:
        response = rest_of(connection)
    assert response == b"" or response.startswith((b"HTTP/1.1 408 ", b"HTTP/1.1 40", b"HTTP/1.1 200 "))
    until(lambda: not listening.server.server_state.connections)
    assert listening.request(path).startswith(b"HTTP/1.1 200 ")


def test_half_a_request_after_a_response_is_closed(short_timeouts: None, listen: Listen) -> None:
    listening = listen(Admin(Consumer()))
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for rest in (b"GET / HTTP/1.1\r\n", b"\r\n"):
        with closing(listening.connect(request)) as connection:
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
            connection.sendall(rest)
            assert b"HTTP/1.1 408 " in rest_of(connection)


def test_a_body_may_take_longer_than_the_timeout_while_bytes_arrive(
    short_timeouts: None, monkeypatch: pytest.MonkeyPatch, listen: Listen
) -> None:
    monkeypatch.setattr(bounds, "PROGRESS_TIMEOUT_S", 1.0)
    listening = listen(ModelServer(NoModels(), Metrics()))
    size, piece = 30_000, 1000
    header = f"POST /v2/models/m/infer HTTP/1.1\r\nHost: localhost\r\ncontent-length: {size}\r\n\r\n"
    with closing(listening.connect(header.encode())) as connection:
        began_s = time.monotonic()
        for _ in range(size // piece):
            connection.sendall(b"x" * piece)
            time.sleep(0.07)  # the test needs a slow client
        assert time.monotonic() - began_s > 2
        assert b"no model is in service yet" in connection.recv(65536)


def test_a_body_that_trickles_is_refused(short_timeouts: None, listen: Listen) -> None:
    listening = listen(ModelServer(NoModels(), Metrics()))
    header = b"POST / HTTP/1.1\r\nHost: localhost\r\ncontent-length: 100000\r\n\r\n"
    with closing(listening.connect(header)) as connection:
        connection.settimeout(0.1)
        answer = b""
        for _ in range(100):
            try:
                connection.sendall(b"x")
                answer = connection.recv(65536)
                break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        assert answer.startswith(b"HTTP/1.1 408 ") or not listening.server.server_state.connections


def test_a_client_that_does_not_read_its_response_is_disconnected(
    short_timeouts: None, listen: Listen
) -> None:
    async def long_response(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(1000):
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    listening = listen(long_response)
    with closing(listening.connect(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")):
        until(lambda: len(listening.server.server_state.connections) == 1)
        until(lambda: not listening.server.server_state.connections)


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 300_000,
        b"GET /" + b"x" * 300_000,
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X-Many: x\r\n" * 30_000,
        b"POST / HTTP/1.1\r\nHost: localhost\r\ntransfer-encoding: chunked\r\n\r\n1;" + b"x" * 300_000,
        b"POST / HTTP/1.1\r\nHost: localhost\r\ntransfer-encoding: chunked\r\n\r\n0\r\n"
        + b"X: x\r\n" * 60_000,
    ],
    ids=["a value", "a path", "fields", "a chunk's extension", "trailers"],
)
def test_an_endless_header_is_refused(running: tuple[Running, str], sent: bytes) -> None:
    listening, path = running
    with closing(listening.connect()) as connection:
        try:
            connection.sendall(sent)
        except ConnectionError:
            pass
        response = rest_of(connection)
    assert response == b"" or response.startswith(b"HTTP/1.1 4")
    until(lambda: not listening.server.server_state.connections)
    assert listening.request(path).startswith(b"HTTP/1.1 200 ")


def test_many_small_chunks_do_not_count_as_header(running: tuple[Running, str]) -> None:
    listening, _ = running
    chunks = b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n"
    header = (
        b"POST /t/a/b HTTP/1.1\r\nHost: localhost\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    with closing(listening.connect(header + chunks)) as connection:
        assert b" 431 " not in rest_of(connection)


def test_connections_are_bounded(
    running: tuple[Running, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    listen: Listen,
) -> None:
    _, path = running
    monkeypatch.setattr(listener_module, "MAX_CONNECTIONS", 16)
    build = next(build for build, known in APPLICATIONS.values() if known == path)
    small = listen(build())
    with ExitStack() as stack:
        opened = [stack.enter_context(closing(small.connect())) for _ in range(16)]
        until(lambda: len(small.server.server_state.connections) == 16)
        for _ in range(16):
            response = rest_of(stack.enter_context(closing(small.connect())))
            assert response.startswith(b"HTTP/1.1 503 ")
        opened[0].sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nconnection: close\r\n\r\n".encode())
        assert rest_of(opened[0]).startswith(b"HTTP/1.1 200 ")
    until(lambda: not small.server.server_state.connections)
    assert small.request(path).startswith(b"HTTP/1.1 200 ")


def test_foreign_hosts_and_origins_are_refused(running: tuple[Running, str]) -> None:
    listening, path = running
    assert listening.request(path, "Host: evil.example.com").startswith(b"HTTP/1.1 403 ")
    assert listening.request("/healthz", "Host: evil.example.com").startswith(b"HTTP/1.1 403 ")
    fields = ("Origin: http://evil.example.com", "content-type: text/plain")
    assert listening.request("/v2/apps", *fields, method="POST", body=b'{"name":"x"}').startswith(
        b"HTTP/1.1 403 "
    )


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bearer "])
def test_the_scheme_bearer_may_be_in_any_case(scheme: str, listen: Listen) -> None:
    listening = listen(Admin(Consumer()), Security(token=TOKEN), Login)
    assert listening.request("/metrics", f"Authorization: {scheme} {TOKEN}").startswith(b"HTTP/1.1 200 ")
    assert listening.request("/metrics", f"Authorization: {scheme} wrong").startswith(b"HTTP/1.1 401 ")
    assert listening.request("/metrics", f"Authorization: {TOKEN}").startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize(
    "fields",
    [
        ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"),
        ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="),
    ],
)
def test_a_request_for_another_protocol_is_answered_in_http_1_without_a_log_line(
    fields: tuple[str, ...], listen: Listen, caplog: pytest.LogCaptureFixture
) -> None:
    app, path = APPLICATIONS["consumer"]
    listening = listen(app())
    request = "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *fields, "", ""]).encode()
    for _ in range(3):
        with closing(listening.connect(request)) as connection:
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
    assert caplog.messages == []
