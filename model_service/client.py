"""A small GraphPipe client for functions: one kept-alive connection, no TensorFlow.

Works with any GraphPipe server. Ours adds the headers Model-Name and Model-Version to each answer.
"""

from __future__ import annotations

import http.client
import math
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from model_service import graphpipe

# A forecast of a whole batch is a few hundred kB; a server that sends more than this is not a model of ours.
MAX_ANSWER_BYTES = 256 << 20
# Asked for where the server does not say (a restart takes a second or two), and the most that it is believed.
RETRY_AFTER_S = 1.0
MAX_RETRY_AFTER_S = 60.0
_READ_BYTES = 1 << 20
# How much of a foreign server's plain-text error is worth passing on.
_MAX_REASON = 500


class ModelUnavailable(Exception):
    """No answer now: refused, timed out, overloaded, broken or garbage. The same request may succeed later."""

    def __init__(self, reason: str, retry_after_s: float = RETRY_AFTER_S) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class ModelError(Exception):
    """The server refused the request itself; sending it again gets the same answer."""


class InvalidShape(ModelError):
    """The windows do not fit the model, or no longer do: read the metadata anew."""


@dataclass(frozen=True)
class Answer:
    """outputs: floating point, [n, horizon, quantiles], or [n, horizon] where a server gives the median alone.
    Name and version are None where the server does not tell them."""

    outputs: npt.NDArray[np.floating[Any]]
    model_name: str | None
    model_version: str | None


class GraphPipeClient:
    """Calls one GraphPipe server. Not thread-safe: one connection, one call at a time.

    url: `http://host:port/path`; the path chooses the model (`/`, `/<name>`, `/<name>/<version>`).
    An https server's certificate must be one that the system trusts, or SSL_CERT_FILE in the environment.
    token: bearer token, or empty.
    timeout_s: bounds connecting and each wait for the server, and the reading of an answer as a whole.
    """

    def __init__(self, url: str, timeout_s: float = 10.0, token: str = "") -> None:
        """Raises ValueError for something that is no http(s) URL, or no token; connects at the first call."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is no address of a model service; expected http://host:port")
        self.url = url
        self._timeout_s = timeout_s
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        host = parts.netloc.rpartition("@")[2]
        if not (path + host).isascii() or any(character <= " " for character in path + host):
            raise ValueError(
                f"{url!r} is no address of a model service; its spaces and letters need encoding"
            )
        if not token.isascii() or any(character <= " " for character in token):
            raise ValueError("the token for the model service has a letter that no token has")
        authorization = f"Authorization: Bearer {token}\r\n" if token else ""
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: {host}\r\n{authorization}"
            "Content-Type: application/octet-stream\r\n"
        ).encode()
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=timeout_s)

    def infer(self, windows: npt.NDArray[np.float32]) -> Answer:
        """Forecast each window. windows: float32 [n, steps], oldest reading first, n ≥ 1.

        Raises ModelUnavailable, InvalidShape, ModelError.
        """
        request = graphpipe.InferRequest((np.asarray(windows, np.float32),))
        status, headers, body = self._post(graphpipe.encode_request(request))
        if status == 400:
            raise self._refusal(body)
        self._check(status, headers, body)
        try:
            response = graphpipe.decode_infer_response(body)
        except graphpipe.InvalidMessage as error:
            raise ModelUnavailable(f"{self.url} answered no GraphPipe message: {error}") from None
        if response.errors:
            raise _refusal_of(response.errors)
        outputs = response.output_tensors
        if (
            not outputs
            or outputs[0].dtype.kind != "f"
            or outputs[0].ndim < 2
            or len(outputs[0]) != len(windows)
        ):
            seen = f"{outputs[0].dtype} {list(outputs[0].shape)}" if outputs else "no tensor"
            raise ModelUnavailable(f"{self.url} answered {seen} to {len(windows)} windows")
        return Answer(outputs[0], headers.get("Model-Name"), headers.get("Model-Version"))

    def metadata(self) -> graphpipe.MetadataResponse:
        """Which model answers, its inputs and outputs; asked anew each time. `description` is the JSON of
        model.json where the server is ours. Raises ModelUnavailable, ModelError."""
        status, headers, body = self._post(graphpipe.encode_request(graphpipe.MetadataRequest()))
        if status == 400:
            raise self._refusal(body)
        self._check(status, headers, body)
        try:
            return graphpipe.decode_metadata_response(body)
        except graphpipe.InvalidMessage as error:
            raise ModelUnavailable(f"{self.url} answered no GraphPipe metadata: {error}") from None

    def close(self) -> None:
        self._connection.close()

    def _post(self, body: bytes) -> tuple[int, http.client.HTTPMessage, bytes]:
        """(status, headers, body). A kept-alive connection that the server has closed meanwhile is opened anew."""
        kept = self._connection.sock is not None
        try:
            return self._exchange(body)
        except TimeoutError:
            self.close()
            raise ModelUnavailable(f"{self.url} did not answer within {self._timeout_s:g} s") from None
        except (ConnectionError, http.client.BadStatusLine) as error:
            self.close()
            if not kept:
                raise ModelUnavailable(f"{self.url} is not reachable: {_reason(error)}") from None
        # UnicodeError: a host name that cannot be looked up.
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            self.close()
            raise ModelUnavailable(f"{self.url} is not reachable: {_reason(error)}") from None
        except ModelUnavailable:
            self.close()
            raise
        return self._post(body)

    def _exchange(self, body: bytes) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = self._connection
        if connection.sock is None:
            connection.connect()
        # Head and body in one piece: http.client sends two, and the first alone wakes the server (50 µs a call).
        connection.sock.sendall(self._head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        response = http.client.HTTPResponse(connection.sock, method="POST")
        response.begin()
        deadline = time.monotonic() + self._timeout_s
        chunks: list[bytes] = []
        size = 0
        while chunk := response.read1(_READ_BYTES):
            chunks.append(chunk)
            size += len(chunk)
            if size > MAX_ANSWER_BYTES:
                raise ModelUnavailable(f"{self.url} answered more than {MAX_ANSWER_BYTES} bytes")
            if time.monotonic() > deadline:
                raise TimeoutError
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        response.close()
        if response.will_close:
            connection.close()
        return response.status, response.headers, chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _check(self, status: int, headers: http.client.HTTPMessage, body: bytes) -> None:
        if status == 200:
            return
        reason = f"{self.url} answered {status}: {_text(body)}"
        if status in (413, 415, 422):
            raise ModelError(reason)
        raise ModelUnavailable(reason, _retry_after_s(headers.get("Retry-After")))

    def _refusal(self, body: bytes) -> ModelError:
        """What a 400 means: an InferResponse with errors, or plain text as the reference servers answer."""
        try:
            response = graphpipe.decode_infer_response(body)
        except graphpipe.InvalidMessage:
            response = graphpipe.InferResponse()
        if response.errors:
            return _refusal_of(response.errors)
        return _refusal_of((graphpipe.ErrorMessage(400, _text(body)),))


def _refusal_of(errors: tuple[graphpipe.ErrorMessage, ...]) -> ModelError:
    text = "; ".join(error.message for error in errors)
    # Foreign servers have no code for it, but all name the shape or the dimension that is wrong.
    fits = all(error.code != graphpipe.DOES_NOT_FIT for error in errors)
    if fits and not any(word in text.lower() for word in ("shape", "dimension", "rank")):
        return ModelError(text)
    return InvalidShape(text)


def _text(body: bytes) -> str:
    """A server's reason as one line of text."""
    try:
        errors = graphpipe.decode_infer_response(body).errors
    except graphpipe.InvalidMessage:
        errors = ()
    text = "; ".join(error.message for error in errors) or body[:_MAX_REASON].decode("utf-8", "replace")
    return " ".join(text[:_MAX_REASON].split())


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__


def _retry_after_s(header: str | None) -> float:
    try:
        seconds = float(header or "")
    except ValueError:  # absent, or a date: the clocks of two machines are not compared here
        return RETRY_AFTER_S
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S) if math.isfinite(seconds) else RETRY_AFTER_S
