"""Batches: when the chain gets the next one, without a broker."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from consumer.lanes.batches import Batches, Batching
from consumer.lanes.lanes import Lanes
from interceptor.delivery import Batch, Record
from interceptor.outcome import Skipped


class HeldChain:
    """Holds each batch until its event is set. settles: whether it settles the deliveries then."""

    def __init__(self, *, settles: bool = True) -> None:
        self.settles = settles
        self.batches: list[tuple[Batch, asyncio.Event]] = []

    async def on_consume(self, batch: Batch) -> Batch:
        may_end = asyncio.Event()
        self.batches.append((batch, may_end))
        await may_end.wait()
        for delivery in batch.deliveries if self.settles else ():
            delivery.outcome = Skipped("done")
        return batch


@pytest.fixture
def event_loop_thread() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_while_calls_are_in_flight_as_many_full_batches_are_read(
    event_loop_thread: asyncio.AbstractEventLoop,
) -> None:
    chain: Any = HeldChain()
    lanes, done = Lanes(), threading.Event()
    batches = Batches(lanes, chain, event_loop_thread, Batching(events=10, in_flight=2, linger_s=0), done.set)

    def sizes() -> list[int]:
        batches.submit()
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), event_loop_thread).result(5)
        return [len(batch.deliveries) for batch, _ in chain.batches]

    def end_first() -> None:
        done.clear()
        _, may_end = chain.batches.pop(0)
        event_loop_thread.call_soon_threadsafe(may_end.set)
        assert done.wait(5)
        batches.collect()

    lanes.assign([("metrics", 0)])
    lanes.add(Record("metrics", 0, offset, 0, None, b"", []) for offset in range(45))
    batches.records_arrived()
    assert sizes() == [10, 10, 10, 10]
    end_first()
    assert sizes() == [10, 10, 10]  # a batch that is not full waits until a call ends, and for more records
    end_first()
    end_first()
    assert sizes() == [10, 5]
    end_first()
    end_first()
    assert batches.is_empty


def test_what_overlapping_batches_leave_unsettled_passes_through_the_chain_again_in_order(
    event_loop_thread: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumer.lanes.batches.RETRY_S", 0.0)
    chain: Any = HeldChain(settles=False)
    lanes, done = Lanes(), threading.Event()
    batches = Batches(lanes, chain, event_loop_thread, Batching(events=2, in_flight=2, linger_s=0), done.set)

    def offsets() -> list[list[int]]:
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), event_loop_thread).result(5)
        return [[delivery.record.offset for delivery in batch.deliveries] for batch, _ in chain.batches]

    lanes.assign([("metrics", 0)])
    lanes.add(Record("metrics", 0, offset, 0, None, b"", []) for offset in range(4))
    batches.records_arrived()
    batches.submit()
    assert offsets() == [[0, 1], [2, 3]]
    while chain.batches:  # the second batch ends first
        done.clear()
        event_loop_thread.call_soon_threadsafe(chain.batches.pop()[1].set)
        assert done.wait(5)
        batches.collect()
    batches.submit()
    assert offsets() == [[0, 1], [2, 3]]
    batches.cancel()


class LeavingChain:
    """Settles the deliveries before the offset `until`, and leaves the others."""

    def __init__(self) -> None:
        self.until = 0
        self.batches: list[list[int]] = []

    async def on_consume(self, batch: Batch) -> Batch:
        self.batches.append([delivery.record.offset for delivery in batch.deliveries])
        for delivery in batch.deliveries:
            if delivery.record.offset < self.until:
                delivery.outcome = Skipped("done")
        return batch


@pytest.mark.parametrize("is_joined", [True, False])
def test_a_chain_that_joins_inputs_gets_unsettled_deliveries_again_after_progress_or_new_records(
    event_loop_thread: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch, is_joined: bool
) -> None:
    monkeypatch.setattr("consumer.lanes.batches.RETRY_S", 3600.0)
    chain: Any = LeavingChain()
    lanes, done = Lanes(), threading.Event()
    batching = Batching(events=10, in_flight=2, linger_s=0)
    batches = Batches(lanes, chain, event_loop_thread, batching, done.set, is_joined)

    def run(until: int) -> list[list[int]]:
        """The batches of the chain, which now settles deliveries up to `until`."""
        chain.until = until
        chain.batches.clear()
        while True:
            done.clear()
            batches.submit()
            if batches.is_empty:
                return list(chain.batches)
            assert done.wait(5)
            batches.collect()

    def add(first: int, last: int) -> None:
        lanes.add(Record("metrics", 0, offset, 0, None, b"", []) for offset in range(first, last))
        batches.records_arrived()

    lanes.assign([("metrics", 0)])
    add(0, 3)
    assert run(until=1) == ([[0, 1, 2], [1, 2]] if is_joined else [[0, 1, 2]])
    assert run(until=3) == []
    add(3, 4)
    assert run(until=4) == ([[1, 2, 3]] if is_joined else [[3]])
