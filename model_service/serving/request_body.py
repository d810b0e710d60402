"""Reads request bodies, with limits on the size, the total memory and the time."""

from __future__ import annotations

import asyncio

from model_service.serving.http_response import Message, Receive
from model_service.serving.request_error import RequestError

# Room for several hundred thousand windows, or for a batch of images for a foreign model.
MAX_BODY_BYTES = 64 << 20
# All chunked bodies together, each from its first byte to its response. Small bodies arrive in one piece; the queue
# limits those.
MAX_HELD_BYTES = 256 << 20
# The longest pause between two chunks. A whole body may take longer; the listener ends bodies that are too slow.
BODY_TIMEOUT_S = 20.0


class RequestBodies:
    """Counts the bytes of all bodies in memory. One instance per server, used from its event loop."""

    def __init__(self) -> None:
        self._held_bytes = 0

    async def read(self, receive: Receive) -> tuple[bytes | bytearray, int]:
        """The body of a request, and how many bytes of it count until the caller calls `release` with their number.

        Raises RequestError, or ConnectionError if the client disconnects; then no bytes count.
        """
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        if not message.get("more_body"):
            return message["body"], 0
        body = await self._read_chunks(message, receive)
        return body, len(body)

    async def _read_chunks(self, first: Message, receive: Receive) -> bytearray:
        """Read the body that begins with `first`, and count its bytes. Raises as `read`.

        A rejected body is still read to its end: a client that is cut off while sending sees a connection reset instead
        of the response.
        """
        body = bytearray()
        rejection: RequestError | None = None
        message = first
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S) as time_limit:
                while True:
                    if rejection is None:
                        body += message["body"]
                        self._held_bytes += len(message["body"])
                        rejection = self._rejection(len(body))
                        if rejection is not None:
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
                raise RequestError(408, f"no data of the body arrived for {BODY_TIMEOUT_S:g} s") from None
            raise
        if rejection is not None:
            raise rejection
        return body

    def hold(self, body_bytes: int) -> None:
        """Count a body that arrived in one piece until `release`. Raises RequestError; then no bytes count."""
        self._held_bytes += body_bytes
        rejection = self._rejection(body_bytes)
        if rejection is not None:
            self._held_bytes -= body_bytes
            raise rejection

    def release(self, body_bytes: int) -> None:
        """Stop counting a body."""
        self._held_bytes -= body_bytes

    def _rejection(self, body_bytes: int) -> RequestError | None:
        """The error for a body of this size while the held bytes, which include it, are in memory; None if it fits."""
        if body_bytes > MAX_BODY_BYTES:
            return RequestError(413, f"the body has more than {MAX_BODY_BYTES} bytes")
        if self._held_bytes > MAX_HELD_BYTES:
            return RequestError(503, "too many large requests at once")
        return None

    def _drop(self, body: bytearray) -> None:
        """Free the bytes of a rejected or incomplete body."""
        self.release(len(body))
        body.clear()
