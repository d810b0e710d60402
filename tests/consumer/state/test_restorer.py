"""Restoring: what is read, what the interceptors are called with, and what happens when it fails or is cancelled."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest

from consumer.errors import ConsumerError
from consumer.lanes import Lanes
from consumer.state import restorer as restorer_module
from consumer.state.keys import full_key, marker_key
from consumer.state.partition_states import PartitionStates
from consumer.state.reader import Unavailable
from consumer.state.restorer import Restorer
from consumer.state.writer import StateWriter
from interceptor.contract import StatefulInterceptor
from interceptor.delivery import Record
from interceptor.errors import StateError
from tests.interceptor.deliveries import until

PARTITION = ("telegraf", 0)


class Message:
    def __init__(self, topic: str, offset: int, key: bytes | None, value: bytes | None) -> None:
        self._fields = topic, offset, key, value

    def __getattr__(self, name: str) -> Any:
        topic, offset, key, value = self._fields
        known = {"topic": topic, "offset": offset, "key": key, "value": value, "partition": 0}
        return lambda: {**known, "headers": [], "timestamp": (1, 0)}[name]


class Kafka:
    """Topics as lists of records, and what readers of them do."""

    def __init__(self) -> None:
        self.committed_offset = 10
        self.bounds_of: dict[tuple[str, int], tuple[int, int]] = {PARTITION: (0, 100)}
        self.places = 1
        self.state: dict[int, list[tuple[bytes, bytes | None]]] = defaultdict(list)
        self.failures: list[Exception] = []
        self.opened = self.closed = 0
        self.may_read = threading.Event()
        self.may_read.set()
        self.asked: list[tuple[str, int, int]] = []

    def __call__(self) -> Kafka:
        self.opened += 1
        return self

    def close(self) -> None:
        self.closed += 1

    def committed(self, partition: Any) -> int:
        if self.failures:
            raise self.failures.pop(0)
        return self.committed_offset

    def partitions_of(self, topic: str) -> int:
        return self.places

    def bounds(self, partition: tuple[str, int]) -> tuple[int, int]:
        return self.bounds_of.get(partition, (0, len(self.state[partition[1]])))

    def read(self, partition: tuple[str, int], start: int, end: int) -> Iterator[list[Message]]:
        topic, number = partition
        self.asked.append((topic, start, end))
        while not self.may_read.wait(0.01):
            yield []
        if topic == "state":
            yield [Message(topic, offset, *record) for offset, record in enumerate(self.state[number])]
            return
        for first in range(start, end, 4):
            yield [
                Message(topic, offset, b"k", b"%d" % offset) for offset in range(first, min(first + 4, end))
            ]


class Recorder(StatefulInterceptor):
    """Records its calls. snapshot_at: the offset that `restore` returns; None for `committed`."""

    def __init__(self, snapshot_at: int | None = None) -> None:
        self.calls: list[tuple] = []
        self.snapshot_at = snapshot_at
        self.error: Exception | None = None
        self.replayed: list[int] = []

    def has_state(self, topic: str) -> bool:
        return topic == "telegraf"

    def restore(self, topic, partition, generation, committed, state):
        if self.error:
            raise self.error
        self.calls.append(("restore", generation, committed, {r.key: r.value for r in state}))
        return committed if self.snapshot_at is None else self.snapshot_at

    def replay(self, records):
        self.replayed += [record.offset for record in records]

    def drop(self, topic, partition):
        self.calls.append(("drop", topic, partition))


class Harness:
    """The states of partitions on a fake Kafka."""

    def __init__(self, *interceptors: Recorder) -> None:
        self.kafka = Kafka()
        self.lanes = Lanes()
        named = {f"i{number}": interceptor for number, interceptor in enumerate(interceptors)}
        loop = asyncio.get_running_loop()
        restorer = Restorer(named, loop, "state", "group", self.kafka)  # type: ignore[arg-type]
        self.writer = StateWriter(None, "state", "group")  # type: ignore[arg-type]
        self.states = PartitionStates(named, loop, restorer, self.writer)
        self.released = 0

    def assign(self) -> None:
        self.lanes.assign([PARTITION, ("metrics", 0)])
        self.states.assigned(self.lanes)

    def _released(self) -> None:
        self.released += 1

    async def until_restored(self) -> None:
        async with asyncio.timeout(30):
            while self.states.problem:
                self.states.advance(self._released)
                await asyncio.sleep(0.01)

    @property
    def lane(self):
        return self.lanes.of([PARTITION])[0]


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(restorer_module, "RETRY_S", 0.01)
    monkeypatch.setattr(restorer_module, "CHECK_S", 0.01)


async def test_a_lane_is_held_until_snapshot_and_input_are_read():
    interceptor = Recorder(snapshot_at=4)
    harness = Harness(interceptor)
    harness.kafka.state[0] = [
        (marker_key("group", PARTITION), b'{"partitions":1,"since":0}'),
        (full_key("group", PARTITION, "i0", b"a"), b"1"),
        (full_key("group", PARTITION, "other", b"a"), b"9"),
        (full_key("group", PARTITION, "i0", b"a"), b"2"),
    ]
    harness.assign()
    metrics = harness.lanes.of([("metrics", 0)])[0]
    assert (harness.lane.is_held, metrics.is_held) == (True, False)
    assert harness.states.problem == "restoring the state of telegraf/0"
    await harness.until_restored()
    assert not harness.lane.is_held
    assert interceptor.calls[1:] == [("restore", harness.lane.generation, 10, {b"a": b"2"})]
    assert interceptor.replayed == [4, 5, 6, 7, 8, 9]
    assert harness.lane.last_offset == 9
    assert (harness.released, harness.kafka.closed) == (1, 1)


async def test_each_interceptor_gets_only_what_its_snapshot_does_not_hold():
    first, second = Recorder(snapshot_at=3), Recorder(snapshot_at=8)
    harness = Harness(first, second)
    harness.assign()
    await harness.until_restored()
    assert first.replayed == [3, 4, 5, 6, 7, 8, 9]
    assert second.replayed == [8, 9]


async def test_without_records_since_the_snapshot_nothing_is_read():
    interceptor = Recorder(snapshot_at=10)
    harness = Harness(interceptor)
    harness.assign()
    await harness.until_restored()
    assert harness.kafka.asked == [("state", 0, 0), ("telegraf", 10, 10)]
    assert interceptor.replayed == []


async def test_an_interceptor_that_has_not_written_state_yet_reads_all_since_it_began():
    interceptor = Recorder()
    harness = Harness(interceptor)
    harness.kafka.state[0] = [(marker_key("group", PARTITION), b'{"partitions":1,"since":3}')]
    harness.assign()
    await harness.until_restored()
    assert interceptor.replayed == [3, 4, 5, 6, 7, 8, 9]


async def test_a_partition_without_state_begins_with_the_committed_offset():
    interceptor = Recorder()
    harness = Harness(interceptor)
    harness.assign()
    await harness.until_restored()
    assert interceptor.replayed == []
    harness.lanes.add([Record(*PARTITION, 10, 0, None, b"", [])])
    (marker,) = harness.lane.unpublished[0].state
    assert marker.value == b'{"partitions":1,"since":10}'


@pytest.mark.parametrize(("committed", "start"), [(-1001, 20), (5, 20), (500, 20), (50, 50)])
async def test_restoring_starts_where_the_source_does(committed, start):
    """Without an offset, and with one that Kafka does not have, the source starts at the first record."""
    interceptor = Recorder()
    harness = Harness(interceptor)
    harness.kafka.committed_offset = committed
    harness.kafka.bounds_of[PARTITION] = (20, 100)
    harness.assign()
    await harness.until_restored()
    assert interceptor.calls[-1][2] == start
    assert harness.lane.last_offset == (49 if committed == 50 else None)


async def test_a_range_that_retention_has_deleted_is_named_once(caplog):
    interceptor = Recorder(snapshot_at=4)
    harness = Harness(interceptor)
    harness.kafka.bounds_of[PARTITION] = (8, 100)
    harness.assign()
    await harness.until_restored()
    assert interceptor.replayed == [8, 9]
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "telegraf/0: Kafka has deleted the records of offsets 4 to 7" in warnings[0]


async def test_state_of_which_the_beginning_was_deleted_is_not_used(caplog):
    interceptor = Recorder()
    harness = Harness(interceptor)
    harness.kafka.bounds_of["state", 0] = (3, 9)
    harness.assign()
    await harness.until_restored()
    assert interceptor.calls[-1][3] == {}
    assert "state/0 begins at offset 3" in caplog.text


async def test_a_broker_that_does_not_answer_is_asked_again_and_named(caplog):
    harness = Harness(Recorder())
    harness.kafka.failures = [Unavailable("no broker answers")] * 3
    harness.kafka.may_read.clear()
    harness.assign()
    await until(lambda: not harness.kafka.failures)
    assert "the state of telegraf/0 is not restored yet: no broker answers" in harness.states.problem
    harness.kafka.may_read.set()
    await harness.until_restored()
    assert harness.kafka.opened == 4
    assert caplog.text.count("is not restored yet") == 1


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


async def test_a_rebalance_cancels_a_restoration_and_the_next_one_starts_from_the_beginning():
    interceptor = Recorder(snapshot_at=4)
    harness = Harness(interceptor)
    harness.kafka.may_read.clear()
    harness.assign()
    first = harness.lane
    await until(lambda: harness.kafka.asked)
    harness.states.dropped([first])
    harness.lanes.drop([PARTITION])
    assert harness.states.problem == ""
    harness.kafka.may_read.set()
    harness.lanes.assign([PARTITION])
    harness.states.assigned(harness.lanes.of([PARTITION]))
    await harness.until_restored()
    assert harness.lane.generation > first.generation
    assert [call[1] for call in interceptor.calls if call[0] == "restore"] == [harness.lane.generation]
    assert interceptor.replayed == [4, 5, 6, 7, 8, 9]


async def test_a_partition_is_dropped_after_what_was_given_to_the_chain_before():
    interceptor = Recorder()
    harness = Harness(interceptor)
    harness.assign()
    await harness.until_restored()
    interceptor.calls.clear()
    loop = asyncio.get_running_loop()
    loop.call_soon_threadsafe(lambda: interceptor.calls.append(("batch",)))
    harness.states.dropped([harness.lane])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert interceptor.calls == [("batch",), ("drop", *PARTITION)]


async def test_inputs_without_stateful_interceptors_need_no_state():
    harness = Harness()
    harness.assign()
    assert not harness.states.keeps("telegraf")
    assert not harness.lane.is_held
    assert harness.kafka.opened == 0
