"""uvicorn's HTTP protocol with three bounds that uvicorn lacks: connections, header bytes, waiting time."""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from urllib.parse import urlsplit

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

log = logging.getLogger(__name__)

# From the start of a connection or request to the end of its header. A TLS handshake gets the same time before that.
HEADER_TIMEOUT_S = 10.0
# How long a client may send no byte of a body, or read no byte of a response.
PROGRESS_TIMEOUT_S = 30.0
# A body may take longer than PROGRESS_TIMEOUT_S in total, but must then be at least this fast.
MIN_BYTES_PER_S = 500
# From the end of a response to the next request.
KEEP_ALIVE_S = 5
# How long a rejected client may take to read the response.
CLOSE_TIMEOUT_S = 5.0
MAX_HEADER_BYTES = 64 * 1024
# Framing bytes allowed for each byte of a body. A chunk of one byte has five.
MAX_FRAME_BYTES_PER_BYTE = 8


class BoundedProtocol(HttpToolsProtocol):
    """One connection. The server calls `check` once a second, which ends a connection that waits too long."""

    _header_began_s: float | None = None  # while a header is awaited
    _body_began_s: float | None = None  # while a body is awaited
    _progress_s = 0.0
    _write_paused_s: float | None = None
    _closing_s: float | None = None
    _body_bytes = 0
    _frame_bytes = 0  # header, chunk sizes and trailers of the request

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        loop: asyncio.AbstractEventLoop,
        max_connections: int,
    ) -> None:
        """max_connections: how many the server serves at the same time."""
        super().__init__(config, server_state, app_state, loop)
        self._max_connections = max_connections

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._header_began_s = self._progress_s = self.loop.time()
        if len(self.connections) > self._max_connections:
            log.warning("a connection is refused: %d are open already", self._max_connections)
            self._reject(b"503 Service Unavailable", b"too many connections are open\n")

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._progress_s = self.loop.time()
        if self._header_began_s is None and self._body_began_s is None:
            self._header_began_s = self._progress_s
        self._frame_bytes += len(data)
        super().data_received(data)
        is_awaited = self._header_began_s is not None or self._body_began_s is not None
        bound = MAX_HEADER_BYTES + MAX_FRAME_BYTES_PER_BYTE * self._body_bytes
        if is_awaited and self._frame_bytes > bound:
            self._reject(b"431 Request Header Fields Too Large", b"the header is too large\n")

    def _unsupported_upgrade_warning(self) -> None:
        """Log nothing for a request that asks for another protocol, such as HTTP/2 or WebSocket.

        It is answered in HTTP/1.1, as RFC 9110 allows. uvicorn would log two lines that suggest packages.
        """

    def on_headers_complete(self) -> None:
        self._header_began_s = None
        self._body_began_s = self._progress_s
        self._take_host_of_target()
        super().on_headers_complete()

    def _take_host_of_target(self) -> None:
        """Replace the values of `Host` by the host of a target such as http://host/path, as RFC 9112 3.2.2 demands."""
        if not self.url.startswith(b"/"):
            authority = urlsplit(self.url).netloc
            if authority:
                self.headers[:] = [
                    (name, authority if name == b"host" else value) for name, value in self.headers
                ]

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        self._frame_bytes -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._body_began_s = None
        self._body_bytes = self._frame_bytes = 0
        super().on_message_complete()

    def pause_writing(self) -> None:
        self._write_paused_s = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._write_paused_s = None
        super().resume_writing()

    def check(self, now_s: float) -> None:
        """End the connection if its client has used up its time. now_s: the event loop's clock, in seconds."""
        if self.transport.is_closing():
            if self._closing_s is None:
                self._closing_s = now_s
            elif now_s - self._closing_s > CLOSE_TIMEOUT_S:
                self.transport.abort()  # the client does not read the rest
        elif self._write_paused_s is not None:
            if now_s - self._write_paused_s > PROGRESS_TIMEOUT_S:
                self.transport.abort()
        elif self.flow.read_paused:  # the application is slow, not the client
            self._progress_s = now_s
            if self._body_began_s is not None:
                self._body_began_s, self._body_bytes = now_s, 0
        elif self._header_began_s is not None:
            if self.cycle is not None and not self.cycle.response_complete:
                self._header_began_s = now_s  # a pipelined request waits for the response before it
            elif now_s - self._header_began_s > HEADER_TIMEOUT_S:
                self._reject(b"408 Request Timeout", b"the header did not arrive in time\n")
        elif self._body_began_s is not None:
            allowed_s = PROGRESS_TIMEOUT_S + self._body_bytes / MIN_BYTES_PER_S
            if now_s - self._progress_s > PROGRESS_TIMEOUT_S or now_s - self._body_began_s > allowed_s:
                self._reject(b"408 Request Timeout", b"the body did not arrive in time\n")

    def _reject(self, status: bytes, text: bytes) -> None:
        """Close the connection, after an error response if no other response is being sent."""
        if self.transport.is_closing():
            return
        if self._may_respond():
            self.transport.write(
                b"HTTP/1.1 %s\r\ncontent-type: text/plain\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s"
                % (status, len(text), text)
            )
        self.transport.close()

    def _may_respond(self) -> bool:
        """Whether no other response is being sent."""
        if self.cycle is None:
            return True
        if self._body_began_s is not None:  # the cycle is that of the request whose body is awaited
            return not self.cycle.response_started
        return self.cycle.response_complete  # the cycle is that of the request before
