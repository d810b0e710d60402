"""What the endpoints of the server say to ASGI."""

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
    """The body of an error as JSON, in the form that the Open Inference Protocol gives it."""
    return orjson.dumps({"error": str(reason)})


async def send_answer(send: Send, status: int, headers: Headers, body: bytes) -> None:
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


def answered_by(model: Model) -> Headers:
    """The headers that tell the model."""
    return _told(model.name, model.version)


@lru_cache
def _told(name: str, version: int) -> Headers:
    return [(b"model-name", name.encode()), (b"model-version", b"%d" % version)]


def error_headers(status: int, kind: Header) -> Headers:
    """The headers of an error. kind: of its body."""
    headers = [kind]
    if status == 503:
        headers.append((b"retry-after", b"%d" % RETRY_AFTER_S))
    if status == 408:
        headers.append((b"connection", b"close"))  # the rest of the body is not read
    return headers
