"""The persistent HTTP connection of a client: reuse, time-outs, and reasons for failures."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest

from model_service.client import GraphPipeClient, ModelUnavailable
from model_service.client.http_connection import HttpConnection
from tests.model_service.client.fake_server import (
    WINDOWS,
    FakeServer,
    Reply,
    infer_answer,
)


def test_calls_share_one_connection(server: FakeServer, client: GraphPipeClient) -> None:
    for _ in range(5):
        client.infer(WINDOWS)
    assert server.connections == 1


def test_a_connection_that_the_server_closed_is_reopened(server: FakeServer, client: GraphPipeClient) -> None:
    server.drop_after = 1
    for _ in range(3):
        client.infer(WINDOWS)
    assert server.connections == 3


def test_a_tls_connection_that_the_server_closed_is_reopened(
    server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a TLS message, as a server does that is killed. A large request fails while it is sent."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=fncast"]
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*words, *files], check=True, capture_output=True, timeout=60)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.drop_after = 1
    connection = HttpConnection(server.url.replace("http:", "https:"), 5.0, "")
    for number in range(1, 4):
        assert connection.post("/", b"", bytes(4_000_000)).status == 200
        assert server.connections == number
        assert server.closed.acquire(timeout=5)
    connection.close()


def test_a_server_of_another_protocol_cannot_forge_a_log_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            with listener.accept()[0] as connection:
                connection.recv(1 << 16)
                connection.sendall(b"\x00\x00\x18\x1b[2Jforged\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        client = GraphPipeClient(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(
            ModelUnavailable, match=r"did not return a complete HTTP response: .*forged"
        ) as raised:
            client.infer(WINDOWS)
        thread.join()
        client.close()
    assert str(raised.value).isprintable()


def test_a_truncated_response_is_unavailable(server: FakeServer, client: GraphPipeClient) -> None:
    server.drop_after = 1
    server.reply = lambda body: (200, {"Content-Length": "1000"}, b"short")
    with pytest.raises(ModelUnavailable, match="did not return a complete HTTP response"):
        client.infer(WINDOWS)


def test_a_server_that_does_not_respond_in_time_is_unavailable(server: FakeServer) -> None:
    answered = threading.Event()

    def reply(body: bytes) -> Reply:
        answered.wait(10)
        return 200, {}, b""

    server.reply = reply
    client = GraphPipeClient(server.url, timeout_s=0.1)
    with pytest.raises(ModelUnavailable, match=r"within 0\.1 s"):
        client.infer(WINDOWS)
    answered.set()


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"], ids=["head", "body"]
)
def test_a_server_that_sends_single_bytes_times_out(head: bytes) -> None:
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            with listener.accept()[0] as connection, contextlib.suppress(OSError):
                connection.recv(1 << 16)
                connection.sendall(head)
                for _ in range(1000):  # 50 s in all
                    connection.sendall(b"H")
                    if ended.wait(0.05):
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        client = GraphPipeClient(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_s=0.3)
        began_s = time.monotonic()
        with pytest.raises(ModelUnavailable, match=r"within 0\.3 s"):
            client.infer(WINDOWS)
        assert time.monotonic() - began_s < 20
        ended.set()
        thread.join()


def test_the_timeout_applies_to_each_call(server: FakeServer) -> None:
    """A call on the same connection does not inherit the remaining time of the previous call."""
    client = GraphPipeClient(server.url, timeout_s=1.5)

    def reply(body: bytes) -> Reply:
        time.sleep(0.3)
        return 200, {}, infer_answer()

    server.reply = reply
    for _ in range(6):
        client.infer(WINDOWS)
    assert server.connections == 1
    client.close()


def test_an_unreachable_server_is_described_without_numbers_of_the_system(server: FakeServer) -> None:
    closed = socket.create_server(("127.0.0.1", 0))
    rejected = f"http://127.0.0.1:{closed.getsockname()[1]}"
    closed.close()
    reasons = {
        rejected: "the connection is refused",
        "http://nowhere.invalid:1": "its host name is unknown",
        server.url.replace("http:", "https:"): "no TLS connection: ",
    }
    for url, reason in reasons.items():
        with pytest.raises(ModelUnavailable, match=f"^{url} is not reachable: {reason}") as raised:
            GraphPipeClient(url, 5).infer(WINDOWS)
        assert not any(mark in str(raised.value) for mark in ("Errno", "_ssl.c", "["))


def test_a_server_that_goes_away_and_returns(server: FakeServer) -> None:
    client = GraphPipeClient("http://127.0.0.1:1")
    with pytest.raises(ModelUnavailable, match="not reachable"):
        client.infer(WINDOWS)


@pytest.mark.parametrize(
    "url",
    ["localhost:9000", "ftp://host", "http://", "", "http://host:port", "http://host/a b", "http://hôst"],
)
def test_an_invalid_address_is_rejected(url: str) -> None:
    with pytest.raises(ValueError):
        GraphPipeClient(url)
