"""The thread that restores: what it does when the broker, the state or an interceptor fails."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from consumer.errors import ConsumerError
from consumer.state import restorer
from consumer.state.reader import Unavailable
from interceptor.errors import StateError
from tests.consumer.state.restoring import Harness, Recorder
from tests.waiting import eventually_async


async def test_a_broker_that_does_not_answer_is_asked_again_and_named(caplog):
    harness = Harness(Recorder())
    harness.kafka.failures = [Unavailable("no broker answers")] * 3
    harness.kafka.may_read.clear()
    harness.assign()
    await eventually_async(lambda: not harness.kafka.failures)
    assert "the state of telegraf/0 is not restored yet: no broker answers" in harness.states.problem
    harness.kafka.may_read.set()
    await harness.until_restored()
    assert harness.kafka.opened == 4
    assert caplog.text.count("is not restored yet") == 1


async def test_a_partition_that_is_not_available_does_not_hold_up_the_others(caplog, monkeypatch):
    harness = Harness(Recorder())
    monkeypatch.setattr(restorer, "RETRY_S", 0.01)
    unavailable = {("telegraf", 0), ("telegraf", 1)}
    committed = harness.kafka.committed

    def committed_if_available(partition):
        if partition in unavailable:
            raise Unavailable("the partition currently has no leader")
        return committed(partition)

    monkeypatch.setattr(harness.kafka, "committed", committed_if_available)
    harness.kafka.bounds_of |= {("telegraf", number): (0, 100) for number in range(3)}
    harness.lanes.assign([("telegraf", number) for number in range(3)])
    harness.states.assigned(harness.lanes)
    held = {lane.partition[1]: lane for lane in harness.lanes}

    def is_released(number: int) -> bool:
        harness.states.advance(lambda: None)
        return not held[number].is_held

    await eventually_async(lambda: is_released(2))
    assert not is_released(0)
    assert caplog.text.count("is not restored yet: the partition currently has no leader") == 1
    unavailable.clear()
    await eventually_async(lambda: is_released(0) and is_released(1))


async def test_an_error_of_closing_the_reader_does_not_end_the_thread(caplog, monkeypatch):
    harness = Harness(Recorder())
    harness.kafka.failures = [Unavailable("no broker answers")]
    monkeypatch.setattr(harness.kafka, "close", Mock(side_effect=RuntimeError("already closed")))
    harness.assign()
    await harness.until_restored()
    assert "the reader of the state was not closed" in caplog.text


async def test_state_that_cannot_be_read_ends_the_consumer_with_its_sentence():
    interceptor = Recorder()
    interceptor.error = StateError("version 9 is newer. Rebuild it: fncast state reset")
    harness = Harness(interceptor)
    harness.assign()
    with pytest.raises(
        ConsumerError, match=r"^the state of telegraf/0 cannot be read: version 9 is newer. Reb"
    ):
        await harness.until_restored()


async def test_an_error_of_an_interceptor_ends_the_consumer():
    interceptor = Recorder()
    interceptor.error = ZeroDivisionError("a bug")
    harness = Harness(interceptor)
    harness.assign()
    with pytest.raises(ZeroDivisionError):
        await harness.until_restored()
