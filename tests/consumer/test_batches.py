"""Batches: when the chain gets the next one, without a broker."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from consumer.batches import Batches, Batching
from consumer.lanes import Lanes
from interceptor.delivery import Batch, Record
from interceptor.outcome import Skipped


class HeldChain:
    """Holds each batch until `release`."""

    def __init__(self) -> None:
        self.batches: list[tuple[Batch, asyncio.Event]] = []

    async def on_consume(self, batch: Batch) -> Batch:
        may_end = asyncio.Event()
        self.batches.append((batch, may_end))
        await may_end.wait()
        for delivery in batch.deliveries:
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
