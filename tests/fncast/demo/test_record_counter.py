"""The demo counts the records of its topics."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fncast.demo.record_counter import RecordCounter
from fncast.demo.summary import DemoSummary
from fncast.demo.topics import INPUT_TOPIC, OUTPUT_TOPIC

PATIENCE_S = 60.0


def publish(broker: Any, make: Any) -> None:
    """Publish an event and its forecast."""
    for topic, record in (
        (INPUT_TOPIC, make.window([1, 2], event_id="a")),
        (OUTPUT_TOPIC, make.forecast([3], 2, cause="a")),
    ):
        broker.publish(topic, record.value, headers=record.headers)


async def test_events_and_forecasts_are_counted(broker: Any, make: Any) -> None:
    counter = RecordCounter()
    counter.start(broker.address, pytest.fail)
    try:
        await asyncio.to_thread(publish, broker, make)
        await asyncio.wait_for(counter.wait_for_forecast(), PATIENCE_S)
        await asyncio.wait_for(counter.wait_for_pending(), PATIENCE_S)
    finally:
        await counter.close()
    assert (counter.summary.events, counter.summary.forecasts, counter.summary.pending) == (1, 1, 0)


async def test_an_error_in_counting_is_reported(
    broker: Any, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("cannot count")

    monkeypatch.setattr(DemoSummary, "add", fail)
    failed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
    counter = RecordCounter()
    counter.start(broker.address, failed.set_result)
    await asyncio.to_thread(publish, broker, make)
    assert str(await asyncio.wait_for(failed, PATIENCE_S)) == "cannot count"


async def test_without_a_start_there_is_nothing_to_wait_for() -> None:
    counter = RecordCounter()
    await counter.wait_for_pending()
    await counter.close()
