"""The built-in `assemble`: stores single readings, and completes windows that the rest of the chain forecasts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from interceptor.assembly import metrics, snapshot
from interceptor.assembly.dropped_readings import DroppedReadings
from interceptor.assembly.partition_windows import NO_SERIES, PartitionWindows
from interceptor.assembly.rules import Rules
from interceptor.assembly.series_window import LATE
from interceptor.assembly.snapshot_schedule import SnapshotSchedule
from interceptor.assembly.spread_series import SpreadSeries
from interceptor.assembly.window import Window, window_event
from interceptor.chain import read_delivery
from interceptor.cloudevents.structured import PREFIX
from interceptor.contract import StatefulInterceptor
from interceptor.delivery import Batch, Delivery, Record, StateRecord, Tick
from interceptor.outcome import DeadLetter, Headers, Outcome, Skipped
from interceptor.readings.contract import Format, Skip
from interceptor.readings.decoding import NO_VALUE, decode, unreadable
from interceptor.readings.reading_event import TYPE as READING

READINGS_STORED = Skipped("stored")


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


class InputPartition:
    """What `assemble` keeps of an input partition: windows and snapshots. generation: number of its assignment."""

    def __init__(
        self, input_: ReadingInput, windows: PartitionWindows, generation: int, now_s: float
    ) -> None:
        self.input = input_
        self.windows = windows
        self.generation = generation
        self.snapshots = SnapshotSchedule(windows, now_s)


class Assemble(StatefulInterceptor):
    """Assembles the readings of its topics. Records of other topics, and other events, pass unchanged.

    A record that completes windows gets a delivery for each of them; they pass through the rest of the chain in its
    place. A record that completes none is skipped: its readings are in the state.
    """

    def __init__(
        self, inputs: Mapping[str, ReadingInput], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """inputs: by topic. clock: monotonic, in seconds; it decides when snapshots are written."""
        self._inputs = dict(inputs)
        self._clock = clock
        self._partitions: dict[tuple[str, int], InputPartition] = {}
        self._series = 0
        self._spread = SpreadSeries()
        self._dropped = DroppedReadings(clock)

    def has_state(self, topic: str) -> bool:
        return topic in self._inputs

    def restore(
        self, topic: str, partition: int, generation: int, committed: int, state: Iterable[StateRecord]
    ) -> int:
        input_ = self._inputs[topic]
        windows = PartitionWindows(input_.format, input_.rules, topic)
        windows.next_offset = committed
        found = InputPartition(input_, windows, generation, self._clock())
        self._partitions[topic, partition] = found
        records = list(state)
        if snapshot.read(windows, records, f"{topic}/{partition}", committed):
            found.snapshots.start_with_snapshot(records)
        else:
            found.snapshots.start_without_snapshot(record.key for record in records)
        return windows.next_offset

    def replay(self, records: Sequence[Record]) -> None:
        for record in records:
            partition = self._partitions[record.topic, record.partition]
            if partition.input.is_event or not _is_structured(record.headers):
                self._read(record, partition)
            partition.windows.next_offset = record.offset + 1
            partition.windows.outcomes.clear()  # they were counted when the record was new
            partition.windows.dropped = None

    def drop(self, topic: str, partition: int) -> None:
        if self._partitions.pop((topic, partition), None) is not None:
            self._set_state_bytes()
            self._count()

    async def on_consume(self, batch: Batch) -> Batch:
        newest: dict[InputPartition, Delivery] = {}
        partition: InputPartition | None = None
        # Topic, number and generation of `partition`: records of one partition follow each other.
        last = ("", -1, -1)
        for delivery in batch.deliveries:
            if delivery.outcome is not None or delivery.windows is not None:
                continue
            record = delivery.record
            assignment = (record.topic, record.partition, delivery.generation)
            if assignment != last:
                partition, last = self._partition(delivery), assignment
            if partition is None:
                continue
            if type(record) is Tick:
                self._tick(delivery, partition)
            elif _has_readings(delivery, partition.input):
                self._assemble(delivery, partition)
            elif record.offset < partition.windows.next_offset:  # it passed before
                continue
            if record.offset >= partition.windows.next_offset:
                partition.windows.next_offset = record.offset + 1
            newest[partition] = delivery
        for found, delivery in newest.items():
            self._write_snapshot(found, delivery)
        self._count()
        return batch

    def _partition(self, delivery: Delivery) -> InputPartition | None:
        """The delivery's partition. None if its topic has no readings, or the partition was taken away meanwhile."""
        record = delivery.record
        if record.topic not in self._inputs:
            return None
        key = (record.topic, record.partition)
        if key not in self._partitions and not delivery.generation:  # a consumer that keeps no state
            self.restore(*key, 0, record.offset, ())
        found = self._partitions.get(key)
        return found if found is not None and found.generation == delivery.generation else None

    def _assemble(self, delivery: Delivery, partition: InputPartition) -> None:
        """Add the record's readings, and settle it unless it completes windows."""
        delivery.state += partition.snapshots.begin(delivery.record.offset)
        completed, outcome = self._read(delivery.record, partition)
        if completed:
            _attach(delivery, partition.input, completed)
        else:
            delivery.outcome = outcome

    def _tick(self, delivery: Delivery, partition: InputPartition) -> None:
        """Close the steps that are due by the clock, and write that to the state: the input does not show it."""
        partition.snapshots.make_due()
        if delivery.record.timestamp_ms:
            completed = partition.windows.close_by_clock(delivery.record.timestamp_ms)
            if completed:
                _attach(delivery, partition.input, completed)

    def _read(self, record: Record, partition: InputPartition) -> tuple[list[Window], Outcome]:
        """Add a record's readings. Returns the completed windows, and the record's outcome if there are none."""
        windows = partition.windows
        if record.value is None:
            return [], NO_VALUE
        decoded = decode(partition.input.format, record)
        if isinstance(decoded, DeadLetter):
            return [], decoded
        if decoded.skipped:
            for reason, count in decoded.skipped.items():
                windows.outcomes[reason.value] += count
        if not decoded.keys:
            return [], unreadable(decoded) or READINGS_STORED
        partition.snapshots.readings += len(decoded.keys)
        unnamed = windows.outcomes.get(NO_SERIES, 0)
        completed = windows.add(decoded, record.timestamp_ms, record.offset)
        if windows.outcomes.get(NO_SERIES, 0) - unnamed == len(decoded.keys):
            decoded.skip(Skip.NO_SERIES, len(decoded.keys))
            return [], unreadable(decoded) or READINGS_STORED
        return completed, READINGS_STORED

    def _write_snapshot(self, partition: InputPartition, delivery: Delivery) -> None:
        """If a snapshot is due, publish it with the newest delivery of the partition, whose offset it gets."""
        is_tick = type(delivery.record) is Tick  # the partition is silent or given away
        if records := partition.snapshots.write(self._clock(), is_whole=is_tick):
            delivery.state += records
            self._set_state_bytes()

    def _set_state_bytes(self) -> None:
        metrics.STATE_BYTES.set(sum([each.snapshots.size for each in self._partitions.values()]))

    def _count(self) -> None:
        """Add the outcomes of readings to the metrics: once for each batch, because a labelled counter is slow."""
        for (topic, _), partition in self._partitions.items():
            windows = partition.windows
            outcomes = windows.outcomes
            if outcomes:
                for outcome, count in outcomes.items():
                    metrics.READINGS.labels(topic, outcome).inc(count)
                if windows.dropped is not None:
                    self._dropped.add(topic, outcomes, windows.dropped)
                    windows.dropped = None
                if outcomes[LATE]:
                    metrics.LATE.labels(topic).inc(outcomes[LATE])
                outcomes.clear()
        series = sum([len(each.windows.series) for each in self._partitions.values()])
        if series != self._series:
            self._series = series
            metrics.SERIES.set(series)
            self._spread.look({partition: each.windows for partition, each in self._partitions.items()})


def _attach(delivery: Delivery, input_: ReadingInput, completed: list[Window]) -> None:
    """Attach a delivery for each completed window."""
    record, source = delivery.record, f"kafka:{delivery.record.topic}"
    delivery.windows = []
    for window in completed:
        child = Delivery(record, delivery.generation, delivery)
        child.event = window_event(window, source, input_.destination)
        delivery.windows.append(child)


def _has_readings(delivery: Delivery, input_: ReadingInput) -> bool:
    """Whether the record is to be read as readings. If it is an event with other data, the delivery gets the event."""
    if input_.is_event:
        return delivery.opened.attributes["type"] == READING
    if delivery.event is None and delivery.record.headers and _is_structured(delivery.record.headers):
        read_delivery(delivery)  # a window that was a dead letter and is sent again
        return delivery.outcome is None and delivery.event is None
    return delivery.event is None


def _is_structured(headers: Headers) -> bool:
    """Whether the record is an event in CloudEvents' structured mode."""
    return any(
        name == "content-type" and content is not None and content[: len(PREFIX)].lower() == PREFIX
        for name, content in headers
    )
