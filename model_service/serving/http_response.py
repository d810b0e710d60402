"""Builds the HTTP responses of the endpoints and sends them over ASGI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from typing import Any

import orjson

from model_service.serving.model import Model
from model_service.serving.request_error import RETRY_AFTER_S

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Header = tuple[bytes, bytes]
Headers = list[Header]

BINARY: Header = (b"content-type", b"application/octet-stream")
TEXT: Header = (b"content-type", b"text/plain; charset=utf-8")
JSON: Header = (b"content-type", b"application/json")


def error_json(reason: object) -> bytes:
    """The JSON body of an error, in the form of the Open Inference Protocol: {"error": reason}."""
    return orjson.dumps({"error": str(reason)})


async def send_response(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """Send a whole response; adds Content-Length."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


def model_headers(model: Model) -> Headers:
    """The headers Model-Name and Model-Version."""
    return _model_headers(model.name, model.version)


@lru_cache
def _model_headers(name: str, version: int) -> Headers:
    return [(b"model-name", name.encode()), (b"model-version", b"%d" % version)]


def error_headers(status: int, kind: Header) -> Headers:
    """The headers of an error response. kind: the Content-Type of its body."""
    headers = [kind]
    if status == 503:
        headers.append((b"retry-after", b"%d" % RETRY_AFTER_S))
    if status == 408:
        headers.append((b"connection", b"close"))  # the rest of the request body is not read
    return headers
