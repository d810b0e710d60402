"""The built-in `assemble`: stores single readings, and completes windows that the rest of the chain forecasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from interceptor.assembly import metrics
from interceptor.assembly.partition_windows import PartitionWindows
from interceptor.assembly.rules import Rules
from interceptor.assembly.series_window import LATE
from interceptor.assembly.window import Window, window_event
from interceptor.chain import read
from interceptor.cloudevents.structured import PREFIX
from interceptor.contract import StatefulInterceptor
from interceptor.delivery import Batch, Delivery, Tick
from interceptor.outcome import DeadLetter, Headers, Outcome, Skipped
from interceptor.readings.contract import Decoded, Format, Skip, UndecodableRecord
from interceptor.readings.reading_event import TYPE as READING

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


class Assemble(StatefulInterceptor):
    """Assembles the readings of its topics. Records of other topics, and other events, pass unchanged.

    A record that completes windows gets a delivery for each of them; they pass through the rest of the chain in its
    place. A record that completes none is skipped: its readings are in the state.
    """

    def __init__(self, inputs: Mapping[str, ReadingInput]) -> None:
        """inputs: by topic."""
        self._inputs = dict(inputs)
        self._partitions: dict[tuple[str, int], PartitionWindows] = {}
        self._generations: dict[tuple[str, int], int] = {}

    def has_state(self, topic: str) -> bool:
        return topic in self._inputs

    async def on_consume(self, batch: Batch) -> Batch:
        for delivery in batch.deliveries:
            if delivery.outcome is None and delivery.windows is None:
                found = self._inputs.get(delivery.record.topic)
                if found is not None:
                    self._assemble(delivery, found)
        self._count()
        return batch

    def _assemble(self, delivery: Delivery, input_: ReadingInput) -> None:
        record = delivery.record
        partition = self._partition(delivery, input_)
        if partition is None:  # taken away meanwhile
            return
        if type(record) is Tick:
            self._complete(delivery, input_, partition.close_by_clock(record.timestamp_ms))
            return
        partition.next_offset = max(partition.next_offset, record.offset + 1)
        if not input_.is_event and delivery.event is None and _is_structured(record.headers):
            read(delivery)  # a window that was a dead letter and is sent again
        if delivery.event is not None and not (
            input_.is_event and delivery.event.attributes["type"] == READING
        ):
            return
        if record.value is None:
            delivery.outcome = EMPTY
            return
        try:
            decoded = input_.format.decode(record.value, record.key, record.headers, record.timestamp_ms)
        except UndecodableRecord as error:
            delivery.outcome = DeadLetter(str(error), kind="undecodable")
            return
        delivery.outcome = self._outcome_without_readings(record.topic, decoded)
        if delivery.outcome is None:
            self._complete(delivery, input_, partition.add(decoded, record.timestamp_ms))

    def _complete(self, delivery: Delivery, input_: ReadingInput, completed: list[Window]) -> None:
        """Attach a delivery for each window, or skip the record."""
        record = delivery.record
        if not completed:
            delivery.outcome = STORED
            return
        source = f"kafka:{record.topic}"
        delivery.windows = []
        for window in completed:
            child = Delivery(record, delivery.generation, delivery)
            child.event = window_event(window, source, input_.destination)
            delivery.windows.append(child)

    def _outcome_without_readings(self, topic: str, decoded: Decoded) -> Outcome | None:
        """Count what could not be read. Returns the outcome of a record without any reading, else None."""
        for reason, count in decoded.skipped.items():
            metrics.READINGS.labels(topic, reason.value).inc(count)
        if decoded.keys:
            return None
        if decoded.skipped.keys() <= _EXPECTED:
            return STORED
        found = ", ".join(f"{reason.value}: {count}" for reason, count in decoded.skipped.items())
        return DeadLetter(f"none of its readings can be read ({found})", kind="undecodable")

    def _partition(self, delivery: Delivery, input_: ReadingInput) -> PartitionWindows | None:
        record = delivery.record
        key = (record.topic, record.partition)
        partition = self._partitions.get(key)
        if partition is None and delivery.generation == 0:
            partition = self._partitions[key] = PartitionWindows(input_.format, input_.rules, record.topic)
            self._generations[key] = 0
        return partition if delivery.generation == self._generations.get(key) else None

    def _count(self) -> None:
        """Add the outcomes of readings to the metrics: once for each batch, because a labelled counter is slow."""
        for (topic, _), partition in self._partitions.items():
            if partition.outcomes:
                for outcome, count in partition.outcomes.items():
                    metrics.READINGS.labels(topic, outcome).inc(count)
                if partition.outcomes[LATE]:
                    metrics.LATE.labels(topic).inc(partition.outcomes[LATE])
                partition.outcomes.clear()
        metrics.SERIES.set(sum([len(partition.series) for partition in self._partitions.values()]))


def _is_structured(headers: Headers) -> bool:
    """Whether the record is an event in CloudEvents' structured mode."""
    return any(
        name == "content-type" and content is not None and content[: len(PREFIX)].lower() == PREFIX
        for name, content in headers
    )
