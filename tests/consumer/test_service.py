"""The consumer's process: no part of it ends unnoticed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from consumer.kafka.outages import Outages
from consumer.loop import Loop
from consumer.route_check import RouteCheck
from consumer.service import Service
from consumer.settings import KafkaSettings, Settings


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Service]:
    def build() -> Service:
        kafka = KafkaSettings(bootstrap_servers="127.0.0.1:9", delivery="at-least-once")
        return Service(Settings(kafka=kafka))

    monkeypatch.setattr(RouteCheck, "run", idle)
    return build


async def idle(_: Any) -> None:
    await asyncio.Event().wait()


async def test_the_end_of_the_loops_thread_ends_the_service(
    service: Callable[[], Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*_: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Loop, "run", run)
    with pytest.raises(RuntimeError, match="a bug"):
        await asyncio.wait_for(service().run(), 10)


@pytest.mark.parametrize("error", [SystemExit(0), StopIteration(), GeneratorExit()])
async def test_errors_that_a_future_or_the_event_loop_treats_specially_end_the_service_too(
    service: Callable[[], Service], monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def run(*_: Any) -> None:
        raise error

    monkeypatch.setattr(Loop, "run", run)
    with pytest.raises(RuntimeError, match=type(error).__name__):
        await asyncio.wait_for(service().run(), 10)


@pytest.mark.parametrize("task", [Outages, RouteCheck])
async def test_a_task_that_fails_is_logged_and_the_service_continues(
    service: Callable[[], Service],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    task: type[Outages | RouteCheck],
) -> None:
    built = service()
    calls, again = [], asyncio.Event()

    async def work(_: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("a bug")
        again.set()

    monkeypatch.setattr(task, "run", work)
    running = asyncio.create_task(built.run())
    await asyncio.wait_for(again.wait(), 10)
    assert "has failed and restarts in 1 s: RuntimeError: a bug" in caplog.text
    assert not running.done()
    built.stop()
    await asyncio.wait_for(running, 10)


async def test_a_service_that_is_cancelled_stops_its_loop(service: Callable[[], Service]) -> None:
    running = asyncio.create_task(service().run())
    await asyncio.sleep(0)
    assert [thread for thread in threading.enumerate() if thread.name == "consumer"]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not [thread for thread in threading.enumerate() if thread.name == "consumer"]
