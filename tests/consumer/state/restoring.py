"""A fake Kafka with state and input, and what restores the state of partitions from it."""

from __future__ import annotations

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from consumer.lanes.lanes import Lanes
from consumer.state.partition_restore import PartitionRestore
from consumer.state.partition_states import PartitionStates
from consumer.state.restorer import Restorer
from consumer.state.writer import StateWriter
from interceptor.contract import StatefulInterceptor
from tests.waiting import eventually_async

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
        self.reads: list[tuple[str, int, int]] = []

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
        self.reads.append((topic, start, end))
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
        restorer = Restorer(PartitionRestore(named, loop, "state", "group"), self.kafka)  # type: ignore[arg-type]
        self.writer = StateWriter(None, "state", "group")  # type: ignore[arg-type]
        self.states = PartitionStates(named, loop, restorer, self.writer)
        self.released = 0

    def assign(self) -> None:
        self.lanes.assign([PARTITION, ("metrics", 0)])
        self.states.assigned(self.lanes)

    def _released(self) -> None:
        self.released += 1

    async def until_restored(self) -> None:
        def is_restored() -> bool:
            if self.states.problem:
                self.states.advance(self._released)
            return not self.states.problem

        await eventually_async(is_restored, 30)

    @property
    def lane(self):
        return self.lanes.of([PARTITION])[0]
