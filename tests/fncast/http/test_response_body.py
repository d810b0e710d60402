"""The body of a response is read up to a limit."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from fncast.http.response_body import BodyTooLarge, read_body

PART = b"x" * 1000


async def in_parts(request: web.Request) -> web.StreamResponse:
    """A response without a length: three parts, then the connection breaks off if the request says so."""
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(3):
        await response.write(PART)
    if "breaks" in request.query:
        assert request.transport is not None
        request.transport.abort()
    return response


@pytest.fixture
async def url() -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes([web.get("/", in_parts)])
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


async def read(url: str, max_bytes: int) -> bytes:
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        return await read_body(response, max_bytes)


async def test_a_body_of_exactly_the_limit_is_read_whole(url: str) -> None:
    assert await read(url, 3000) == 3 * PART


async def test_a_larger_body_is_an_error_that_names_the_limit(url: str) -> None:
    with pytest.raises(BodyTooLarge, match="larger than 2999 bytes"):
        await read(url, 2999)


async def test_a_body_that_breaks_off_is_an_error(url: str) -> None:
    with pytest.raises(aiohttp.ClientError):
        await read(f"{url}?breaks", 3000)
