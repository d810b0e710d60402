"""Reads the body of a response with a limit: a function decides how much it sends."""

from __future__ import annotations

import aiohttp


class BodyTooLarge(ValueError):
    """The body has more bytes than the limit."""


async def read_body(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    """The whole body. Raises BodyTooLarge, or an error of aiohttp if the connection breaks off."""
    chunks = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > max_bytes:
            raise BodyTooLarge(f"the answer is larger than {max_bytes} bytes")
        chunks.append(chunk)
    return b"".join(chunks)
