"""ASGI middleware that bounds what a slow client can hold, and adds the same headers to every response."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# A client that takes nothing for this long is gone, even if its connection is still open.
SEND_TIMEOUT_S = 30.0
# The server buffers at most about one chunk for a slow client.
CHUNK_BYTES = 65_536


class BoundedSend:
    """Sends bodies in chunks of CHUNK_BYTES.

    Gives up if the client takes a chunk for longer than SEND_TIMEOUT_S; the server then closes the connection.
    """

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_bounded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("cache-control", "no-store")
                headers.update(self._headers)
                await send(message)
            else:
                for chunk in _chunks(message):
                    async with asyncio.timeout(SEND_TIMEOUT_S):
                        await send(chunk)

        with contextlib.suppress(TimeoutError):
            await self._app(scope, receive, send_bounded)


def _chunks(message: Message) -> list[Message]:
    body = message.get("body", b"")
    if len(body) <= CHUNK_BYTES:
        return [message]
    starts = range(0, len(body), CHUNK_BYTES)
    return [
        {
            "type": "http.response.body",
            "body": body[start : start + CHUNK_BYTES],
            "more_body": message.get("more_body", False) or start != starts[-1],
        }
        for start in starts
    ]
