"""Reads an HTTP request to the function host: its headers, body and URL."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uvicorn._types import ASGIReceiveCallable

# Of the bodies of all requests in progress.
MAX_HELD_BYTES = 256 * 1024 * 1024

Headers = Sequence[tuple[str, str]]


class TooMuchHeld(Exception):
    """The requests in progress have more than MAX_HELD_BYTES."""


class HeldBytes:
    """Counts the bytes of all requests in progress. The host owns one, in its event loop."""

    def __init__(self) -> None:
        self._bytes = 0

    @contextlib.contextmanager
    def counted(self) -> Iterator[Callable[[int], None]]:
        """Yield a function that counts bytes of a request until the request ends. It raises TooMuchHeld."""
        held = 0

        def hold(size: int) -> None:
            nonlocal held
            held += size
            self._bytes += size
            if self._bytes > MAX_HELD_BYTES:
                raise TooMuchHeld

        try:
            yield hold
        finally:
            self._bytes -= held


def decode_headers(raw: Any) -> list[tuple[str, str]]:
    """Names and values of the headers of an ASGI scope. A value is UTF-8 if valid, else Latin-1, as in the FDK."""
    return [(name.decode("latin-1"), _text(value)) for name, value in raw]


def declares_json(headers: Headers) -> bool:
    """Whether the body is declared as JSON. A form of another site cannot declare it without a CORS preflight."""
    types = [value for name, value in headers if name == "content-type"]
    return len(types) == 1 and types[0].partition(";")[0].strip().lower() == "application/json"


async def read_body(
    headers: Headers,
    receive: ASGIReceiveCallable,
    max_bytes: int,
    hold: Callable[[int], None],
) -> bytes | None:
    """The request's body; None if it is too large. hold: called with the size of each part.

    Raises ConnectionError if the caller disconnects before the end.
    """
    length = next((value for name, value in headers if name == "content-length"), "0")
    if length.isdecimal() and int(length) > max_bytes:
        return None
    chunks: list[bytes] = []
    size = 0
    while True:
        event: Any = await receive()
        if event["type"] != "http.request":
            raise ConnectionError
        chunks.append(event["body"])
        size += len(event["body"])
        if size > max_bytes:
            return None
        hold(len(event["body"]))
        if not event["more_body"]:
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def base_url(scope: Any, headers: Headers) -> str:
    """The host's URL as the caller sees it."""
    address, port = scope["server"]
    host = next((value for name, value in headers if name == "host"), f"{address}:{port}")
    scheme: str = scope["scheme"]
    return f"{scheme}://{host}"


def full_url(scope: Any, headers: Headers) -> str:
    """The URL of a request as the caller sees it."""
    query = scope["query_string"].decode("latin-1")
    path: str = scope["raw_path"].decode("latin-1")  # still encoded: the decoded path could have a line break
    return base_url(scope, headers) + path + (f"?{query}" if query else "")


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
