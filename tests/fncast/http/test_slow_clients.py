"""Slow clients of every listener are disconnected."""

from __future__ import annotations

import time
from contextlib import closing
from typing import Any

import pytest

from consumer.admin import Admin
from fncast.http import protocol as bounds
from model_service.serving.metrics import Metrics
from model_service.serving.server import ModelServer
from tests.fncast.http.connections import rest_of
from tests.fncast.http.listeners import Consumer, Listen, NoModels, Running
from tests.waiting import eventually

pytestmark = pytest.mark.integration


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
    eventually(lambda: not listening.server.server_state.connections)
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


def test_a_body_that_trickles_is_rejected(short_timeouts: None, listen: Listen) -> None:
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
        eventually(lambda: len(listening.server.server_state.connections) == 1)
        eventually(lambda: not listening.server.server_state.connections)
