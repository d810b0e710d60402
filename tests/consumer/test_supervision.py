"""No background work of the consumer ends unnoticed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from consumer.assembly import Service
from consumer.commits import Commits
from consumer.lanes import Lanes
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
        made = Service(Settings(kafka=kafka))
        monkeypatch.setattr(made, "_route_check", SimpleNamespace(run=idle, failed={}))
        return made

    return build


async def idle() -> None:
    await asyncio.Event().wait()


async def test_the_end_of_the_loops_thread_ends_the_service(service: Callable[[], Service]) -> None:
    made = service()

    def run(_: Any) -> None:
        raise RuntimeError("a bug")

    made._loop.run = run  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="a bug"):
        await asyncio.wait_for(made.run(), 10)


@pytest.mark.parametrize("name", ["_outages", "_route_check"])
async def test_a_task_that_fails_is_logged_and_the_service_goes_on(
    service: Callable[[], Service], caplog: pytest.LogCaptureFixture, name: str
) -> None:
    made = service()
    calls, again = [], asyncio.Event()

    async def work() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("a bug")
        again.set()

    setattr(made, name, SimpleNamespace(run=work, close=lambda: None, failed={}))
    running = asyncio.create_task(made.run())
    await asyncio.wait_for(again.wait(), 10)
    assert "has failed and restarts in 1 s: RuntimeError: a bug" in caplog.text
    assert not running.done()
    made.stop()
    await asyncio.wait_for(running, 10)


def test_the_end_of_a_commits_thread_ends_the_loop() -> None:
    publisher: Any = SimpleNamespace(commits_offsets=True, commit_interval_s=0.0, settle_s=0.0)

    def finish(*_: Any) -> None:
        raise RuntimeError("a bug")

    publisher.commit = finish
    source: Any = SimpleNamespace(group_metadata=lambda: "member")
    lanes = Lanes()
    lanes.assign([("metrics", 0)])
    (lane,) = lanes
    lane.published.append(Delivery(Record("metrics", 0, 0, 0, None, b"", [])))
    state = StateWriter(publisher, "state", "group")
    commits = Commits(source, publisher, lanes, lambda _: None, lambda: None, state)
    commits.advance(now=True)
    step = commits._step
    assert step is not None
    with pytest.raises(RuntimeError, match="a bug"):
        step.result(5)
    with pytest.raises(RuntimeError, match="a bug"):
        commits.advance()


async def test_health_says_why_it_is_not_ready(service: Callable[[], Service]) -> None:
    made = service()
    health = made.health()
    assert (health["alive"], health["ready"]) == (True, False)
    made._loop._topics.problem = "no Kafka answers at 127.0.0.1:9 (no broker can be reached)"
    assert made.health()["reason"] == "no Kafka answers at 127.0.0.1:9 (no broker can be reached)"
    made._loop._topics.problem = ""
    made._loop._inputs = frozenset({"metrics"})
    assert made.health()["reason"] == "it has not joined its group yet"
    made._loop._source.problem = "the topic 'metrics' does not exist"
    assert made.health()["reason"] == "the topic 'metrics' does not exist"
    made._loop._rebalance.is_member = True
    assert (made.health()["ready"], made.health()["reason"]) == (True, "")
    made._loop.paused["metrics"] = "metrics: the first 1,000 records are all dead letters"
    assert (made.health()["ready"], made.health()["reason"]) == (False, made._loop.paused["metrics"])
    made._loop.polled_at_s -= 100
    assert made.health()["reason"].startswith("the last poll was 100 s ago: the consumer is stuck; ")
    await made._chain.close()
