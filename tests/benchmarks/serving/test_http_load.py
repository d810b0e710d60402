from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from benchmarks.serving import http_load
from benchmarks.serving.http_load import LoadFailed, Request, post


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A server that echoes requests, and answers 422 at /rejected."""

    async def echo(request: web.Request) -> web.Response:
        assert request.headers["content-type"] == "text/plain"
        status = 422 if request.path == "/rejected" else 200
        return web.Response(body=await request.read(), status=status)

    app = web.Application()
    app.add_routes([web.post("/{path:.*}", echo)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield runner.addresses[0][1]
    await runner.cleanup()


@pytest.fixture(params=[True, False], ids=["wrk", "asyncio"])
def generator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param and not http_load.has_wrk():
        pytest.skip("wrk is not installed")
    monkeypatch.setattr(http_load, "has_wrk", lambda: request.param)


@pytest.mark.usefixtures("generator")
async def test_requests_are_answered_and_counted(port: int, tmp_path: Path) -> None:
    request = Request("/echo", b"body", {"Content-Type": "text/plain"})
    answered = await asyncio.to_thread(post, port, request, 2, 1, tmp_path, 0)
    assert answered.requests > 10
    assert 0.9 < answered.seconds < 3
    assert 0 < answered.p50_ms <= answered.p99_ms


@pytest.mark.usefixtures("generator")
async def test_a_rejected_request_fails_the_load(port: int, tmp_path: Path) -> None:
    request = Request("/rejected", b"body", {"Content-Type": "text/plain"})
    with pytest.raises(LoadFailed, match="rejected"):
        await asyncio.to_thread(post, port, request, 2, 1, tmp_path, 0)
