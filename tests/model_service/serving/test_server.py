"""The ASGI application with fake models, called as a server calls it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import pytest

from model_service.protocols import graphpipe
from model_service.serving.model import Model
from model_service.serving.server import ModelServer
from tests.model_service.asgi_service import (
    WINDOWS,
    AsgiService,
)


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_path_without_a_model_is_404_and_names_the_others(service: AsgiService, method: str) -> None:
    answer = await service.call(
        method, "/weather", graphpipe.encode_request(graphpipe.InferRequest((WINDOWS,)))
    )
    assert answer.status == 404
    assert b"there are /, /forecast, /forecast/1, /forecast/2" in answer.body
    service.shelf.paths = {}
    answer = await service.infer(WINDOWS)
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


async def test_a_server_without_models_is_alive_and_not_ready(service: AsgiService) -> None:
    for path in ("/control/is_alive", "/control/is_ready", "/healthz", "/readyz"):
        answer = await service.call("GET", path)
        assert (answer.status, answer.body) == (200, b"ok\n")
    service.shelf.paths = {}
    for path, status in {
        "/control/is_alive": 200,
        "/control/is_ready": 503,
        "/healthz": 200,
        "/readyz": 503,
    }.items():
        assert (await service.call("GET", path)).status == status


async def test_other_methods_are_405(service: AsgiService) -> None:
    answer = await service.call("DELETE", "/forecast/1")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST")


async def test_it_watches_until_shutdown_and_survives_a_failed_refresh(
    service: AsgiService, caplog: pytest.LogCaptureFixture
) -> None:
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    sent: asyncio.Queue[Any] = asyncio.Queue()
    life = asyncio.create_task(service.app({"type": "lifespan"}, inbox.get, sent.put))
    await inbox.put({"type": "lifespan.startup"})
    assert (await sent.get())["type"] == "lifespan.startup.complete"
    paths, service.shelf.paths = service.shelf.paths, {}  # makes refresh raise
    for _ in range(2):
        service.shelf.refreshed.clear()
        await asyncio.wait_for(service.shelf.refreshed.wait(), 10)
    service.shelf.paths = paths
    assert any("the loaded versions stay" in record.getMessage() for record in caplog.records)
    await inbox.put({"type": "lifespan.shutdown"})
    assert (await sent.get())["type"] == "lifespan.shutdown.complete"
    await asyncio.wait_for(life, 10)


@pytest.mark.parametrize("raised", [RuntimeError("a bug"), SystemExit(1), MemoryError()])
async def test_after_a_failed_refresh_the_next_one_comes_later(
    service: AsgiService,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    raised: BaseException,
) -> None:
    looks: asyncio.Queue[None] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    failing = 3

    def refresh() -> Sequence[Model]:
        nonlocal failing
        loop.call_soon_threadsafe(looks.put_nowait, None)
        failing -= 1
        if failing >= 0:
            raise raised
        return ()

    monkeypatch.setattr(service.shelf, "refresh", refresh)
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    sent: asyncio.Queue[Any] = asyncio.Queue()
    life = asyncio.create_task(service.app({"type": "lifespan"}, inbox.get, sent.put))
    await inbox.put({"type": "lifespan.startup"})
    async with asyncio.timeout(10):
        for _ in range(5):
            await looks.get()
    waits = [float(match) for match in re.findall(r"next attempt in (\S+) s", caplog.text)]
    assert waits == [0.002, 0.004, 0.008]
    await inbox.put({"type": "lifespan.shutdown"})
    await asyncio.wait_for(life, 10)


async def test_a_model_that_cannot_be_closed_is_logged(
    service: AsgiService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise RuntimeError("it will not go")

    monkeypatch.setattr(service.shelf.paths["/forecast/1"], "close", fail)
    service.shelf.gone = [service.shelf.paths["/forecast/1"]]
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    sent: asyncio.Queue[Any] = asyncio.Queue()
    life = asyncio.create_task(service.app({"type": "lifespan"}, inbox.get, sent.put))
    await inbox.put({"type": "lifespan.startup"})
    async with asyncio.timeout(10):
        for _ in range(2):
            service.shelf.refreshed.clear()
            await service.shelf.refreshed.wait()
    await inbox.put({"type": "lifespan.shutdown"})
    await asyncio.wait_for(life, 10)
    assert "forecast/1 is no longer served, but closing it failed" in caplog.text
    assert "it will not go" in caplog.text


class FakeCompanion:
    """A companion of the application. Its start raises `error`, if given."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.log: list[str] = []

    async def start(self) -> None:
        self.log.append("start")
        if self.error:
            raise self.error

    async def stop(self) -> None:
        self.log.append("stop")


async def test_the_companion_runs_as_long_as_the_application(service: AsgiService) -> None:
    companion = FakeCompanion()
    app = ModelServer(service.shelf, service.metrics, companion=companion)
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    sent: asyncio.Queue[Any] = asyncio.Queue()
    life = asyncio.create_task(app({"type": "lifespan"}, inbox.get, sent.put))
    await inbox.put({"type": "lifespan.startup"})
    assert (await sent.get())["type"] == "lifespan.startup.complete"
    assert companion.log == ["start"]
    await inbox.put({"type": "lifespan.shutdown"})
    await asyncio.wait_for(life, 10)
    assert companion.log == ["start", "stop"]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError("no such address"), "no such address"),
        (RuntimeError("a bug"), "the start failed: RuntimeError: a bug"),
    ],
)
async def test_a_companion_that_cannot_start_fails_the_start(
    service: AsgiService, error: Exception, message: str
) -> None:
    app = ModelServer(service.shelf, service.metrics, companion=FakeCompanion(error))
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "lifespan"}, receive, send)
    assert sent == [{"type": "lifespan.startup.failed", "message": message}]
