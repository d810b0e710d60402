"""The GraphPipe client against an HTTP server whose responses each test sets."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from model_service.client import GraphPipeClient, InvalidShape, ModelError, ModelUnavailable
from model_service.protocols import graphpipe

WINDOWS = np.arange(6, dtype=np.float32).reshape(2, 3)
FORECAST = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
Reply = tuple[int, dict[str, str], bytes]


class FakeServer(ThreadingHTTPServer):
    """Responds with `reply(body)` and counts connections; closes each connection after `drop_after` responses."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reply: Callable[[bytes], Reply] = lambda body: (200, {}, infer_answer())
        self.connections = 0
        self.drop_after: int | None = None
        self.paths: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeServer

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1
        self.answered = 0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.paths.append(self.path)
        status, headers, answer = self.server.reply(body)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(answer)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)
        self.answered += 1
        if self.answered == self.server.drop_after:
            self.close_connection = True  # without a Connection: close, as a server that idles out

    def log_message(self, *_: object) -> None:
        pass


def infer_answer(outputs: np.ndarray = FORECAST) -> bytes:
    return graphpipe.encode_infer_response(graphpipe.InferResponse((outputs,)))


def refusal(code: int, message: str) -> bytes:
    errors = (graphpipe.ErrorMessage(code, message),)
    return graphpipe.encode_infer_response(graphpipe.InferResponse(errors=errors))


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer() as fake:
        thread = threading.Thread(target=fake.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield fake
        fake.shutdown()
        thread.join()


@pytest.fixture
def client(server: FakeServer) -> Iterator[GraphPipeClient]:
    client = GraphPipeClient(server.url + "/forecast", timeout_s=5)
    yield client
    client.close()


def test_infer_sends_one_tensor_and_reads_the_model_from_the_headers(
    server: FakeServer, client: GraphPipeClient
) -> None:
    requests = []

    def reply(body: bytes) -> Reply:
        requests.append(graphpipe.decode_request(body))
        return 200, {"Model-Name": "forecast", "Model-Version": "7"}, infer_answer()

    server.reply = reply
    answer = client.infer(WINDOWS)
    np.testing.assert_array_equal(requests[0].input_tensors[0], WINDOWS)
    np.testing.assert_array_equal(answer.outputs, FORECAST)
    assert (answer.model_name, answer.model_version) == ("forecast", "7")
    assert server.paths == ["/forecast"]


def test_a_foreign_server_may_send_no_version_and_only_the_median(
    server: FakeServer, client: GraphPipeClient
) -> None:
    server.reply = lambda body: (200, {}, infer_answer(FORECAST[:, :, 1].astype(np.float64)))
    answer = client.infer(WINDOWS)
    assert answer.outputs.shape == (2, 2)
    assert (answer.model_name, answer.model_version) == (None, None)


def test_calls_share_one_connection(server: FakeServer, client: GraphPipeClient) -> None:
    for _ in range(5):
        client.infer(WINDOWS)
    assert server.connections == 1


def test_a_connection_that_the_server_closed_is_reopened(server: FakeServer, client: GraphPipeClient) -> None:
    server.drop_after = 1
    for _ in range(3):
        client.infer(WINDOWS)
    assert server.connections == 3


def test_metadata(server: FakeServer, client: GraphPipeClient) -> None:
    expected = graphpipe.MetadataResponse(
        "forecast",
        "3",
        "x",
        '{"window": 3}',
        (graphpipe.IOMetadata("windows", graphpipe.Type.Float32, (-1, 3)),),
        (graphpipe.IOMetadata("forecast", graphpipe.Type.Float32, (-1, 2, 3)),),
    )
    server.reply = lambda body: (200, {}, graphpipe.encode_metadata_response(expected))
    assert client.metadata() == expected


@pytest.mark.parametrize("status", [200, 400, 500])
def test_the_reason_from_a_server_is_one_clean_line(
    server: FakeServer, client: GraphPipeClient, status: int
) -> None:
    """The function logs the reason, and the consumer writes it into a dead letter."""
    forged = "\x1b[2Jshape\r\n2026-01-01 INFO forged\u202e line" + "x" * 5000
    server.reply = lambda body: (status, {}, refusal(400, forged))
    with pytest.raises((ModelError, ModelUnavailable)) as raised:
        client.infer(WINDOWS)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 1000
    assert "2026-01-01 INFO forged" in str(raised.value)


@pytest.mark.parametrize("status", [200, 400])
def test_errors_in_a_response_with_any_status(
    server: FakeServer, client: GraphPipeClient, status: int
) -> None:
    server.reply = lambda body: (status, {}, refusal(400, "no such output: 'x'"))
    with pytest.raises(ModelError, match="no such output: 'x'") as raised:
        client.infer(WINDOWS)
    assert not isinstance(raised.value, InvalidShape)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(refusal(graphpipe.DOES_NOT_FIT, "windows are [2, 3], not [-1, 48]"), id="ours"),
        pytest.param(b"Could not create tensor: wrong Shape [2 3]", id="plain text of a foreign server"),
    ],
)
def test_a_shape_that_does_not_fit(server: FakeServer, client: GraphPipeClient, body: bytes) -> None:
    server.reply = lambda _: (400, {}, body)
    with pytest.raises(InvalidShape):
        client.infer(WINDOWS)


@pytest.mark.parametrize("status", [404, 500, 502, 503])
def test_temporary_statuses(server: FakeServer, client: GraphPipeClient, status: int) -> None:
    server.reply = lambda body: (status, {"Retry-After": "2.5"}, b"busy\nnow")
    with pytest.raises(ModelUnavailable, match=f"answered {status}: busy now") as raised:
        client.infer(WINDOWS)
    assert raised.value.retry_after_s == 2.5


@pytest.mark.parametrize(("header", "seconds"), [("soon", 1.0), ("-3", 0.0), ("1e9", 60.0), ("nan", 1.0)])
def test_retry_after_is_limited(
    server: FakeServer, client: GraphPipeClient, header: str, seconds: float
) -> None:
    server.reply = lambda body: (503, {"Retry-After": header}, b"")
    with pytest.raises(ModelUnavailable) as raised:
        client.infer(WINDOWS)
    assert raised.value.retry_after_s == seconds


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "did not return a GraphPipe message"),
        (b"<html>welcome to the proxy</html>", "did not return a GraphPipe message"),
        (infer_answer(FORECAST[:1]), "for 2 windows"),
        (infer_answer(np.zeros(2, np.float32)), "for 2 windows"),
        (infer_answer(FORECAST.astype(np.int64)), "for 2 windows"),
        (graphpipe.encode_infer_response(graphpipe.InferResponse()), "no tensor"),
    ],
)
def test_garbage_is_not_a_response(
    server: FakeServer, client: GraphPipeClient, body: bytes, reason: str
) -> None:
    server.reply = lambda _: (200, {}, body)
    with pytest.raises(ModelUnavailable, match=reason):
        client.infer(WINDOWS)


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


def test_a_truncated_response(server: FakeServer, client: GraphPipeClient) -> None:
    server.drop_after = 1
    server.reply = lambda body: (200, {"Content-Length": "1000"}, b"short")
    with pytest.raises(ModelUnavailable, match="did not return a complete HTTP response"):
        client.infer(WINDOWS)


def test_a_server_that_does_not_respond_in_time(server: FakeServer) -> None:
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
    refused = f"http://127.0.0.1:{closed.getsockname()[1]}"
    closed.close()
    reasons = {
        refused: "the connection is refused",
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
def test_an_invalid_address(url: str) -> None:
    with pytest.raises(ValueError):
        GraphPipeClient(url)
