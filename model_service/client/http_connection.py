"""One kept-alive HTTP connection to a model service."""

from __future__ import annotations

import http.client
import io
import re
import socket
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from model_service.client.interface import ModelUnavailable, one_line, retry_after_s

# A forecast of a whole batch is a few hundred kB; a server that sends more than this is not a model of ours.
MAX_ANSWER_BYTES = 256 << 20
# A host that is there accepts within milliseconds; one that is gone must not take the time of the next address.
CONNECT_TIMEOUT_S = 2.0
_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def retry_after_s(self) -> float:
        return retry_after_s(self.headers.get("Retry-After"))


class HttpConnection:
    """Sends requests to one server, one at a time. Connects at the first."""

    def __init__(self, url: str, timeout_s: float, token: str) -> None:
        """url: its path is not used. timeout_s: bounds the sending of a request, and the whole of the wait for its
        answer; connecting is given up after 2 s. An https server's certificate must be one that the system trusts, or
        SSL_CERT_FILE in the environment. token: bearer token, or empty.

        Raises ValueError for something that is no http(s) URL, or no token."""
        parts = address(url, ("http", "https"))
        check_token(token)
        self._url = url
        self._timeout_s = timeout_s
        host = parts.netloc.rpartition("@")[2]
        authorization = f"Authorization: Bearer {token}\r\n" if token else ""
        self._headers = f" HTTP/1.1\r\nHost: {host}\r\n{authorization}".encode()
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        assert parts.hostname  # `address` has seen to it
        self._connection = kind(parts.hostname, parts.port, timeout=min(timeout_s, CONNECT_TIMEOUT_S))

    def get(self, path: str) -> Reply:
        """Raises ModelUnavailable where no answer comes."""
        return self._send("GET", b"GET " + path.encode() + self._headers + b"\r\n")

    def post(self, path: str, headers: bytes, body: bytes) -> Reply:
        """headers: lines of their own, each with its line end. Raises ModelUnavailable where no answer comes."""
        # Head and body in one piece: http.client sends two, and the first alone wakes the server (50 µs a call).
        head = b"POST %b%b%bContent-Length: %d\r\n\r\n" % (path.encode(), self._headers, headers, len(body))
        return self._send("POST", head + body)

    def close(self) -> None:
        self._connection.close()

    def _send(self, method: str, request: bytes) -> Reply:
        """A kept-alive connection that the server has closed meanwhile is opened anew."""
        kept = self._connection.sock is not None
        try:
            return self._exchange(method, request)
        except TimeoutError:
            self.close()
            raise ModelUnavailable(f"{self._url} did not answer within {self._timeout_s:g} s") from None
        except (ConnectionError, http.client.BadStatusLine) as error:
            self.close()
            if not kept:
                raise self._unavailable(error) from None
        # UnicodeError: a host name that cannot be looked up.
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            self.close()
            raise self._unavailable(error) from None
        except ModelUnavailable:
            self.close()
            raise
        return self._send(method, request)

    def _unavailable(self, error: Exception) -> ModelUnavailable:
        # RemoteDisconnected is both: the peer said nothing.
        if isinstance(error, http.client.HTTPException) and not isinstance(error, ConnectionError):
            return ModelUnavailable(f"{self._url} answered no whole HTTP response: {_reason(error)}")
        return ModelUnavailable(f"{self._url} is not reachable: {_reason(error)}")

    def _exchange(self, method: str, request: bytes) -> Reply:
        connection = self._connection
        if connection.sock is None:
            self._connect()
        connection.sock.settimeout(self._timeout_s)
        connection.sock.sendall(request)
        answer = _Answer(connection.sock, time.monotonic() + self._timeout_s)
        response = http.client.HTTPResponse(answer, method=method)  # type: ignore[arg-type]  # reads `makefile` alone
        response.begin()
        chunks: list[bytes] = []
        size = 0
        while chunk := response.read1(_READ_BYTES):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                raise ModelUnavailable(f"{self._url} answered more than {MAX_ANSWER_BYTES} bytes")
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        response.close()
        if response.will_close:
            connection.close()
        return Reply(response.status, response.headers, chunks[0] if len(chunks) == 1 else b"".join(chunks))

    def _connect(self) -> None:
        try:
            self._connection.connect()
        except TimeoutError:
            raise ModelUnavailable(
                f"{self._url} is not reachable: no connection within {self._connection.timeout:g} s"
            ) from None


class _Answer(io.RawIOBase):
    """What comes from a socket until `end_s`, by the monotonic clock. A socket's own timeout bounds each wait by
    itself: a peer that sends a byte now and then would hold a call for minutes."""

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
    """The parts of an address of a model service. Raises ValueError with a text for whoever has set it."""
    if "@" in re.split("[/?#]", url.partition("//")[2])[0]:  # before what shows the URL: it holds a secret
        raise ValueError("an address of a model service has a login: give a bearer token instead")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:  # a port that is no number, or brackets without an end
        raise ValueError(f"{url!r} is no address of a model service: {error}") from None
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        expected = " or ".join(f"{scheme}://host:port" for scheme in schemes)
        raise ValueError(f"{url!r} is no address of a model service; expected {expected}")
    if not url.isascii() or any(character <= " " for character in url):
        raise ValueError(f"{url!r} is no address of a model service; its spaces and letters need encoding")
    return parts


def check_token(token: str) -> None:
    """Raises ValueError, whose text does not show the token."""
    if not token.isascii() or any(character <= " " for character in token):
        raise ValueError("the token for the model service has a letter that no token has")


def _reason(error: Exception) -> str:
    return one_line(str(error)) or type(error).__name__
