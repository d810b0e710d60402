"""Reads bodies that come in pieces: bounded each, in sum, and in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from model_service.serving.http_response import Message
from model_service.serving.request_error import RequestError

# 340,000 windows of 48 readings, or 100 pictures of 224 × 224 × 3 for somebody's picture model.
MAX_BODY_BYTES = 64 << 20
# Of all bodies that come in pieces, from their first byte to their answer; small ones arrive at once, and the queue
# bounds them.
MAX_HELD_BYTES = 256 << 20
# A client that sends nothing for so long holds its part of the above in vain. A body of any size may take longer in
# all; the listener ends those that come too slowly.
BODY_TIMEOUT_S = 20.0


class RequestBodies:
    """All bodies that are held now."""

    def __init__(self) -> None:
        self._held_bytes = 0

    async def read(self, first: Message, receive: Callable[[], Awaitable[Message]]) -> bytearray:
        """The body that begins with `first`; it is held until `release`. Raises RequestError, and ConnectionError
        for a client that goes away, and then holds nothing.

        A body that is refused is still read to its end: a client that is cut off while it sends sees a reset
        connection and never the answer that tells it why."""
        body = bytearray()
        refusal: RequestError | None = None
        message = first
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S) as time_limit:
                while True:
                    if refusal is None:
                        body += message["body"]
                        self._held_bytes += len(message["body"])
                        refusal = self._refusal(len(body))
                        if refusal is not None:
                            self._drop(body)
                    if not message.get("more_body"):
                        break
                    message = await receive()
                    time_limit.reschedule(asyncio.get_running_loop().time() + BODY_TIMEOUT_S)
                    if message["type"] == "http.disconnect":
                        raise ConnectionError
        except BaseException as error:
            self._drop(body)
            if isinstance(error, TimeoutError):
                raise RequestError(408, f"nothing of the body arrived for {BODY_TIMEOUT_S:g} s") from None
            raise
        if refusal is not None:
            raise refusal
        return body

    def hold(self, body_bytes: int) -> None:
        """Count a body that has come in one piece, until `release`. Raises RequestError, and then holds nothing."""
        self._held_bytes += body_bytes
        refusal = self._refusal(body_bytes)
        if refusal is not None:
            self._held_bytes -= body_bytes
            raise refusal

    def release(self, body_bytes: int) -> None:
        self._held_bytes -= body_bytes

    def _refusal(self, body_bytes: int) -> RequestError | None:
        if body_bytes > MAX_BODY_BYTES:
            return RequestError(413, f"the body has more than {MAX_BODY_BYTES} bytes")
        if self._held_bytes > MAX_HELD_BYTES:
            return RequestError(503, "too many large requests at once")
        return None

    def _drop(self, body: bytearray) -> None:
        self.release(len(body))
        body.clear()
