"""Bounds of every listener: large headers, many connections, other protocols."""

from __future__ import annotations

from contextlib import ExitStack, closing

import pytest

from fncast.http import listener as listener_module
from tests.fncast.http.connections import rest_of
from tests.fncast.http.listeners import APPLICATIONS, Listen, Running
from tests.waiting import eventually

pytestmark = pytest.mark.integration


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
def test_an_endless_header_is_rejected(running: tuple[Running, str], sent: bytes) -> None:
    listening, path = running
    with closing(listening.connect()) as connection:
        try:
            connection.sendall(sent)
        except ConnectionError:
            pass
        response = rest_of(connection)
    assert response == b"" or response.startswith(b"HTTP/1.1 4")
    eventually(lambda: not listening.server.server_state.connections)
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
        eventually(lambda: len(small.server.server_state.connections) == 16)
        for _ in range(16):
            response = rest_of(stack.enter_context(closing(small.connect())))
            assert response.startswith(b"HTTP/1.1 503 ")
        opened[0].sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nconnection: close\r\n\r\n".encode())
        assert rest_of(opened[0]).startswith(b"HTTP/1.1 200 ")
    eventually(lambda: not small.server.server_state.connections)
    assert small.request(path).startswith(b"HTTP/1.1 200 ")


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
