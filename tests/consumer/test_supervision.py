"""No background work of the consumer ends unnoticed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from consumer.commits import Commits
from consumer.kafka.outages import Outages
from consumer.lanes import Lanes
from consumer.loop import Loop
from consumer.route_check import RouteCheck
from consumer.service import Service
from consumer.settings import Kafka, Settings
from consumer.state.writer import StateWriter
from consumer.supervision import MAX_PAUSE_S, kept_running
from interceptor.delivery import Delivery, Record


class Clock:
    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_work_that_raises_is_logged_and_begins_again_with_a_longer_pause_each_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, left = Clock(), [RuntimeError("a bug\nforged line")] * 8

    async def work() -> None:
        if left:
            raise left.pop()

    await kept_running("the report", work, clock.sleep)
    assert clock.slept == [1, 2, 4, 8, 16, 32, MAX_PAUSE_S, MAX_PAUSE_S]
    assert len(caplog.messages) == 8
    assert caplog.messages[0] == "the report has failed and restarts in 1 s: RuntimeError: a bug forged line"


async def test_work_that_is_cancelled_ends() -> None:
    task = asyncio.create_task(kept_running("the report", asyncio.Event().wait))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Service]:
    def build() -> Service:
        kafka = Kafka(bootstrap_servers="127.0.0.1:9", delivery="at-least-once")
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


class BrokenPublisher:
    """A publisher whose commit has a bug."""

    commits_offsets = True
    commit_interval_s = settle_s = 0.0

    def commit(self, *_: Any) -> None:
        raise RuntimeError("a bug")


class Member:
    """A source that is a member of its group."""

    def group_metadata(self) -> str:
        return "member"


def test_the_end_of_a_commits_thread_ends_the_loop() -> None:
    publisher: Any = BrokenPublisher()
    source: Any = Member()
    lanes = Lanes()
    lanes.assign([("metrics", 0)])
    (lane,) = lanes
    lane.published.append(Delivery(Record("metrics", 0, 0, 0, None, b"", [])))
    state = StateWriter(publisher, "state", "group")
    has_ended = threading.Event()
    commits = Commits(source, publisher, lanes, lambda _: None, has_ended.set, state)
    commits.advance(now=True)
    assert has_ended.wait(5)
    with pytest.raises(RuntimeError, match="a bug"):
        commits.advance()
