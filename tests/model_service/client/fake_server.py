"""An HTTP server whose responses each test sets."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

from model_service.protocols import graphpipe

WINDOWS = np.arange(6, dtype=np.float32).reshape(2, 3)


FORECAST = np.arange(12, dtype=np.float32).reshape(2, 2, 3)


Reply = tuple[int, dict[str, str], bytes]


class FakeServer(ThreadingHTTPServer):
    """Responds with `reply(body)`; the body of a GET is empty. Counts connections.

    drop_after: closes each connection after this many responses. closed: is released for each closed connection.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reply: Callable[[bytes], Reply] = lambda body: (200, {}, infer_answer())
        self.connections = 0
        self.drop_after: int | None = None
        self.closed = threading.Semaphore(0)
        self.paths: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.closed.release()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeServer

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1
        self.answered = 0

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def _answer(self, body: bytes) -> None:
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


def rejection(code: int, message: str) -> bytes:
    errors = (graphpipe.ErrorMessage(code, message),)
    return graphpipe.encode_infer_response(graphpipe.InferResponse(errors=errors))
