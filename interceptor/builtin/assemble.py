"""The built-in `assemble`: stores single readings, and completes windows that the rest of the chain forecasts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from interceptor.assembly import metrics, snapshot
from interceptor.assembly.partition_windows import PartitionWindows
from interceptor.assembly.rules import Rules
from interceptor.assembly.series_window import LATE
from interceptor.assembly.window import Window, window_event
from interceptor.chain import read
from interceptor.cloudevents.structured import PREFIX
from interceptor.contract import StatefulInterceptor
from interceptor.delivery import Batch, Delivery, Record, StateRecord, Tick
from interceptor.outcome import DeadLetter, Headers, Outcome, Skipped
from interceptor.readings.contract import Format, Skip, UndecodableRecord
from interceptor.readings.reading_event import TYPE as READING

SNAPSHOT_S = 10.0  # between snapshots of a partition
SNAPSHOT_READINGS = 500_000  # a snapshot is written earlier after so many readings: they bound the replay
STORED = Skipped("stored")
EMPTY = Skipped("the record has no value")
# A record with such readings only is as its producer means it. Other readings that cannot be read are a mistake.
_EXPECTED = frozenset((Skip.TEXT, Skip.NOT_A_NUMBER, Skip.STALE))


@dataclass(frozen=True)
class ReadingInput:
    """How readings of one topic are read and assembled.

    is_event: whether the records are CloudEvents; then only events of the type `io.fncast.reading.v1` are readings.
    destination: of the window events; empty to let `route` decide.
    """

    format: Format
    rules: Rules
    is_event: bool = False
    destination: str = ""


class Partition:
    """An input partition of this consumer. snapshot_at_s: when the next snapshot is due; readings: since the last."""

    def __init__(self, windows: PartitionWindows, generation: int, snapshot_at_s: float) -> None:
        self.windows = windows
        self.generation = generation
        self.snapshot_at_s = snapshot_at_s
        self.readings = 0
        self.bytes: dict[bytes, int] = {}  # of the records of the last snapshot, by key


class Assemble(StatefulInterceptor):
    """Assembles the readings of its topics. Records of other topics, and other events, pass unchanged.

    A record that completes windows gets a delivery for each of them; they pass through the rest of the chain in its
    place. A record that completes none is skipped: its readings are in the state.
    """

    def __init__(
        self, inputs: Mapping[str, ReadingInput], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """inputs: by topic. clock: monotonic, in seconds; it decides only when snapshots are written."""
        self._inputs = dict(inputs)
        self._clock = clock
        self._partitions: dict[tuple[str, int], Partition] = {}

    def has_state(self, topic: str) -> bool:
        return topic in self._inputs

    def restore(
        self, topic: str, partition: int, generation: int, committed: int, state: Iterable[StateRecord]
    ) -> int:
        input_ = self._inputs[topic]
        windows = PartitionWindows(input_.format, input_.rules, topic)
        windows.next_offset = committed
        snapshot.read(windows, state, f"{topic}/{partition}", committed)
        self._partitions[topic, partition] = Partition(windows, generation, self._clock() + SNAPSHOT_S)
        return windows.next_offset

    def replay(self, records: Sequence[Record]) -> None:
        for record in records:
            partition, input_ = self._partitions[record.topic, record.partition], self._inputs[record.topic]
            if input_.is_event or not _is_structured(record.headers):
                self._read(record, input_, partition)

    def drop(self, topic: str, partition: int) -> None:
        self._partitions.pop((topic, partition), None)

    async def on_consume(self, batch: Batch) -> Batch:
        newest: dict[tuple[str, int], Delivery] = {}
        for delivery in batch.deliveries:
            record = delivery.record
            input_ = self._inputs.get(record.topic)
            if input_ is None or delivery.outcome is not None or delivery.windows is not None:
                continue
            key = (record.topic, record.partition)
            partition = self._partitions.get(key)
            if partition is None and not delivery.generation:  # a consumer that keeps no state
                self.restore(*key, 0, record.offset, ())
                partition = self._partitions[key]
            if partition is None or partition.generation != delivery.generation:  # taken away meanwhile
                continue
            if record.offset >= partition.windows.next_offset or type(record) is Tick:
                newest[key] = delivery
            if type(record) is Tick:
                partition.snapshot_at_s = 0.0
                self._complete(
                    delivery, input_, partition.windows.close_by_clock(record.timestamp_ms), STORED
                )
            else:
                self._assemble(delivery, input_, partition)
        for key, delivery in newest.items():
            self._write_snapshot(self._partitions[key], delivery)
        self._count()
        return batch

    def _assemble(self, delivery: Delivery, input_: ReadingInput, partition: Partition) -> None:
        """Read a record's readings, and settle the record unless it completes windows or is no reading."""
        record = delivery.record
        if not input_.is_event and delivery.event is None and _is_structured(record.headers):
            read(delivery)  # a window that was a dead letter and is sent again
        is_reading = delivery.event is None or (
            input_.is_event and delivery.event.attributes["type"] == READING
        )
        if is_reading:
            completed, outcome = self._read(record, input_, partition)
            self._complete(delivery, input_, completed, outcome)
        else:
            partition.windows.next_offset = max(partition.windows.next_offset, record.offset + 1)

    def _read(
        self, record: Record, input_: ReadingInput, partition: Partition
    ) -> tuple[list[Window], Outcome]:
        """Add a record's readings. Returns the completed windows, and the record's outcome if there are none."""
        windows = partition.windows
        windows.next_offset = max(windows.next_offset, record.offset + 1)
        if record.value is None:
            return [], EMPTY
        try:
            decoded = input_.format.decode(record.value, record.key, record.headers, record.timestamp_ms)
        except UndecodableRecord as error:
            return [], DeadLetter(str(error), kind="undecodable")
        for reason, count in decoded.skipped.items():
            windows.outcomes[reason.value] += count
        if decoded.keys:
            partition.readings += len(decoded.keys)
            return windows.add(decoded, record.timestamp_ms, record.offset), STORED
        if decoded.skipped.keys() <= _EXPECTED:
            return [], STORED
        found = ", ".join(f"{reason.value}: {count}" for reason, count in decoded.skipped.items())
        return [], DeadLetter(f"none of its readings can be read ({found})", kind="undecodable")

    def _complete(
        self, delivery: Delivery, input_: ReadingInput, completed: list[Window], outcome: Outcome
    ) -> None:
        """Attach a delivery for each window. Without windows, settle the record."""
        record = delivery.record
        if not completed:
            delivery.outcome = outcome
            return
        source = f"kafka:{record.topic}"
        delivery.windows = []
        for window in completed:
            child = Delivery(record, delivery.generation, delivery)
            child.event = window_event(window, source, input_.destination)
            delivery.windows.append(child)

    def _write_snapshot(self, partition: Partition, delivery: Delivery) -> None:
        """If a snapshot is due, publish it with the newest delivery of the partition, whose offset it stands for."""
        windows, now_s = partition.windows, self._clock()
        if not windows.changed or (
            now_s < partition.snapshot_at_s and partition.readings < SNAPSHOT_READINGS
        ):
            return
        delivery.state = snapshot.write(windows)
        partition.snapshot_at_s, partition.readings = now_s + SNAPSHOT_S, 0
        partition.bytes |= {record.key: len(record.value or b"") for record in delivery.state}
        metrics.STATE_BYTES.set(sum([sum(each.bytes.values()) for each in self._partitions.values()]))

    def _count(self) -> None:
        """Add the outcomes of readings to the metrics: once for each batch, because a labelled counter is slow."""
        for (topic, _), partition in self._partitions.items():
            outcomes = partition.windows.outcomes
            if outcomes:
                for outcome, count in outcomes.items():
                    metrics.READINGS.labels(topic, outcome).inc(count)
                if outcomes[LATE]:
                    metrics.LATE.labels(topic).inc(outcomes[LATE])
                outcomes.clear()
        metrics.SERIES.set(sum([len(each.windows.series) for each in self._partitions.values()]))


def _is_structured(headers: Headers) -> bool:
    """Whether the record is an event in CloudEvents' structured mode."""
    return any(
        name == "content-type" and content is not None and content[: len(PREFIX)].lower() == PREFIX
        for name, content in headers
    )
