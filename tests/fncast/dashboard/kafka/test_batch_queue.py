"""What the reader reads ahead is bounded by batches and by bytes."""

from __future__ import annotations

import threading

import pytest

from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.kafka import batch_queue
from fncast.dashboard.kafka.batch_queue import MAX_BATCHES, BatchQueue


def batch(size: int = 1) -> list[ReceivedRecord]:
    return [ReceivedRecord("t", 0, 0, 1.0, b"x" * size), ReceivedRecord("t", 0, 1, 1.0, None)]


def test_batches_come_out_in_order() -> None:
    queue = BatchQueue()
    first, second = batch(1), batch(2)
    assert queue.take(0.0) == []
    assert queue.put(first, 0.0)
    assert queue.put(second, 0.0)
    assert (queue.take(0.0), queue.take(0.0), queue.take(0.0)) == (first, second, [])


def test_the_number_of_batches_is_bounded() -> None:
    queue = BatchQueue()
    assert [queue.put(batch(), 0.0) for _ in range(MAX_BATCHES + 1)] == [True] * MAX_BATCHES + [False]
    queue.take(0.0)
    assert queue.put(batch(), 0.0)


def test_the_bytes_are_bounded_but_one_large_batch_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_queue, "MAX_BYTES", 10)
    queue = BatchQueue()
    assert queue.put(batch(1000), 0.0)
    assert not queue.put(batch(1), 0.0)
    queue.take(0.0)
    assert queue.put(batch(1), 0.0)


def test_each_side_waits_for_the_other() -> None:
    queue = BatchQueue()
    for _ in range(MAX_BATCHES):
        queue.put(batch(), 0.0)
    taken: list[int] = []

    def take_all() -> None:
        while found := queue.take(10.0):
            taken.append(len(found))
            if len(taken) > MAX_BATCHES:
                return

    taker = threading.Thread(target=take_all)
    taker.start()
    assert queue.put(batch(), 10.0)
    taker.join(10.0)
    assert len(taken) == MAX_BATCHES + 1
