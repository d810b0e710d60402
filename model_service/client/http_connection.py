"""A persistent HTTP connection to a model service."""

from __future__ import annotations

import http.client
import io
import re
import socket
import ssl
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from model_service.client.interface import ModelUnavailable, one_line, retry_after_s

# Responses are usually far smaller, so a server that sends more than this is not a forecasting model.
MAX_RESPONSE_BYTES = 256 << 20
# Reachable hosts accept within milliseconds. An unreachable host must leave time to try the next address.
CONNECT_TIMEOUT_S = 2.0
_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class HttpResponse:
    """An HTTP response."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def retry_after_s(self) -> float:
        """Seconds to wait before a retry."""
        return retry_after_s(self.headers.get("Retry-After"))


class HttpConnection:
    """Sends requests to one server, one at a time. Connects on the first request. Not thread-safe."""

    def __init__(self, url: str, timeout_s: float, token: str) -> None:
        """url: http or https; its path is ignored. timeout_s: limits sending a request, and again receiving the whole
        response; connecting has a limit of CONNECT_TIMEOUT_S. token: bearer token, or empty.

        Certificates of https servers are verified with the CAs of the system, or those in SSL_CERT_FILE. Raises
        ValueError for an invalid url or token.
        """
        parts = address(url, ("http", "https"))
        check_token(token)
        self._url = url
        self._timeout_s = timeout_s
        host = parts.netloc.rpartition("@")[2]
        authorization = f"Authorization: Bearer {token}\r\n" if token else ""
        self._headers = f" HTTP/1.1\r\nHost: {host}\r\n{authorization}".encode()
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        assert parts.hostname  # checked by `address`
        self._connection = kind(parts.hostname, parts.port, timeout=min(timeout_s, CONNECT_TIMEOUT_S))

    def get(self, path: str) -> HttpResponse:
        """Send a GET request. Raises ModelUnavailable if there is no complete response."""
        return self._send("GET", b"GET " + path.encode() + self._headers + b"\r\n")

    def post(self, path: str, headers: bytes, body: bytes) -> HttpResponse:
        """Send a POST request. headers: lines with CRLF. Raises ModelUnavailable if there is no complete response."""
        # Head and body in one packet. http.client sends two, and the first would wake the server needlessly.
        head = b"POST %b%b%bContent-Length: %d\r\n\r\n" % (path.encode(), self._headers, headers, len(body))
        return self._send("POST", head + body)

    def close(self) -> None:
        """Close the connection. A later request opens it again."""
        self._connection.close()

    def _send(self, method: str, request: bytes) -> HttpResponse:
        """Send a request. Reconnects once if the server has closed the persistent connection.

        Raises ModelUnavailable.
        """
        is_reused = self._connection.sock is not None
        try:
            return self._exchange(method, request)
        except TimeoutError:
            self.close()
            raise ModelUnavailable(f"{self._url} did not answer within {self._timeout_s:g} s") from None
        # SSLEOFError: as ConnectionError, of a TLS connection.
        except (ConnectionError, ssl.SSLEOFError, http.client.BadStatusLine) as error:
            self.close()
            if not is_reused:
                raise self._unavailable(error) from None
        # UnicodeError: an invalid host name.
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            self.close()
            raise self._unavailable(error) from None
        except ModelUnavailable:
            self.close()
            raise
        return self._send(method, request)

    def _unavailable(self, error: Exception) -> ModelUnavailable:
        """The error for a request that failed: the server is not reachable, or it does not speak HTTP."""
        # RemoteDisconnected is both types: the server closed the connection without a response.
        if isinstance(error, http.client.HTTPException) and not isinstance(error, ConnectionError):
            return ModelUnavailable(f"{self._url} did not return a complete HTTP response: {_reason(error)}")
        return ModelUnavailable(f"{self._url} is not reachable: {_reason(error)}")

    def _exchange(self, method: str, request: bytes) -> HttpResponse:
        """Send a request on the open or a new connection, and read the whole response.

        Raises ModelUnavailable for too large a response or no connection in time, OSError, http.client.HTTPException.
        """
        connection = self._connection
        if connection.sock is None:
            self._connect()
        connection.sock.settimeout(self._timeout_s)
        connection.sock.sendall(request)
        reader = _DeadlineReader(connection.sock, time.monotonic() + self._timeout_s)
        response = http.client.HTTPResponse(reader, method=method)  # type: ignore[arg-type]  # only uses `makefile`
        response.begin()
        chunks: list[bytes] = []
        size = 0
        while chunk := response.read1(_READ_BYTES):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_RESPONSE_BYTES:
                raise ModelUnavailable(f"{self._url} returned more than {MAX_RESPONSE_BYTES} bytes")
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        response.close()
        if response.will_close:
            connection.close()
        return HttpResponse(
            response.status, response.headers, chunks[0] if len(chunks) == 1 else b"".join(chunks)
        )

    def _connect(self) -> None:
        try:
            self._connection.connect()
        except TimeoutError:
            raise ModelUnavailable(
                f"{self._url} is not reachable: no connection within {self._connection.timeout:g} s"
            ) from None


class _DeadlineReader(io.RawIOBase):
    """Reads from a socket until `end_s` of the monotonic clock.

    The timeout of a socket limits each read separately, so a server that sends single bytes could stall a call.
    """

    def __init__(self, sock: socket.socket, end_s: float) -> None:
        self._sock = sock
        self._end_s = end_s

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left_s = self._end_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._sock.settimeout(left_s)
        return self._sock.recv_into(buffer)


def address(url: str, schemes: tuple[str, ...]) -> SplitResult:
    """Parse the address of a model service. Raises ValueError with a text for the user."""
    # Checked first, because the other errors quote the URL.
    if "@" in re.split("[/?#]", url.partition("//")[2])[0]:
        raise ValueError("the address of a model service contains a login: use a bearer token instead")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:  # an invalid port, or unbalanced brackets
        raise ValueError(f"{url!r} is not the address of a model service: {error}") from None
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        expected = " or ".join(f"{scheme}://host:port" for scheme in schemes)
        raise ValueError(f"{url!r} is not the address of a model service; expected {expected}")
    if not url.isascii() or any(character <= " " for character in url):
        raise ValueError(
            f"{url!r} is not the address of a model service; percent-encode spaces and non-ASCII characters"
        )
    return parts


def check_token(token: str) -> None:
    """Raises ValueError for an invalid token. The text does not contain the token."""
    if not token.isascii() or any(character <= " " for character in token):
        raise ValueError(
            "the token for the model service contains a space, a control character or a non-ASCII character"
        )


def _reason(error: Exception) -> str:
    """Why a request failed, without numbers and file names of Python."""
    if isinstance(error, ConnectionRefusedError):
        return "the connection is refused"
    if isinstance(error, socket.gaierror):
        return "its host name is unknown"
    if isinstance(error, ssl.SSLEOFError) and not error.reason:  # while sending
        return "the TLS connection was closed"
    if isinstance(error, ssl.SSLError):
        parts = ((error.reason or "").replace("_", " ").lower(), getattr(error, "verify_message", ""))
        return "no TLS connection: " + (": ".join(filter(None, parts)) or "the handshake failed")
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return one_line(text[:1].lower() + text[1:]) or type(error).__name__
