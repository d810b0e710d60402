"""Reads the body of a response with a limit: a function decides how much it sends."""

from __future__ import annotations

import aiohttp


class BodyTooLarge(ValueError):
    """The body has more bytes than the limit."""


async def read_body(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    """The whole body. Raises BodyTooLarge, and what aiohttp raises where the connection breaks off."""
    chunks = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > most_bytes:
            raise BodyTooLarge(f"the answer is larger than {most_bytes} bytes")
        chunks.append(chunk)
    return b"".join(chunks)
