"""Whether processes are ready, and the first calls of a function."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port

from fncast.demo.probe import WARM_UP_CALLS, http_probe, warm_up


class Service:
    """Answers with a status, and calls of the function once all of a warm-up have come."""

    def __init__(self) -> None:
        self.status = 200
        self.calls: list[tuple[str, Any]] = []
        self.all_have_come = asyncio.Event()

    async def health(self, request: web.Request) -> web.Response:
        return web.Response(status=self.status)

    async def call(self, request: web.Request) -> web.Response:
        self.calls.append((request.content_type, json.loads(await request.read())))
        if len(self.calls) == WARM_UP_CALLS:
            self.all_have_come.set()
        await asyncio.wait_for(self.all_have_come.wait(), 20)
        return web.Response(status=self.status)


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
async def url(service: Service) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes([web.get("/healthz", service.health), web.post("/t/fncast/forecast", service.call)])
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_a_process_is_ready_once_it_answers_with_200(
    http: aiohttp.ClientSession, service: Service, url: str
) -> None:
    probe = http_probe(http, f"{url}/healthz")
    service.status = 503
    assert await probe() is False
    service.status = 200
    assert await probe() is True


async def test_a_process_that_does_not_listen_yet_is_not_ready(http: aiohttp.ClientSession) -> None:
    assert await http_probe(http, f"http://127.0.0.1:{unused_port()}/healthz")() is False


async def test_the_warm_up_calls_several_processes_at_once_with_a_window_of_the_models_size(
    http: aiohttp.ClientSession, service: Service, url: str
) -> None:
    await warm_up(http, url, 48)
    assert len(service.calls) == WARM_UP_CALLS
    content_type, event = service.calls[0]
    assert content_type == "application/cloudevents+json"
    assert len(event["data"]["values"]) == 48


async def test_a_function_that_fails_does_not_end_the_warm_up(
    http: aiohttp.ClientSession, service: Service, url: str
) -> None:
    service.status = 502
    await warm_up(http, url, 2)
    await warm_up(http, f"http://127.0.0.1:{unused_port()}", 2)
    assert len(service.calls) == WARM_UP_CALLS
