"""The interceptor `judge`: gives windows and forecasts to the monitor, and settles them with its events."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from fncast.monitor.journal import Entry, Journal
from fncast.monitor.merge import Merge
from fncast.monitor.messages import FORECAST, WINDOW, UnusableEvent, read_forecast, read_window
from fncast.monitor.partition import NEW, MonitorPartition
from fncast.monitor.rules import MonitorRules
from interceptor.chain import read_delivery
from interceptor.contract import StatefulInterceptor
from interceptor.delivery import Batch, Delivery, Record, StateRecord, Tick
from interceptor.outcome import Forecast, OutputEvent, Skipped

JOINED = Skipped("joined")
OTHER = Skipped("neither a window nor a forecast")


class AssignedPartition:
    """What the monitor holds of one partition number.

    restored: by topic, the generation whose state was read. replayed: records after the state that are not joined yet.
    """

    def __init__(self, rules: MonitorRules, topics: Sequence[str], clock: Callable[[], float]) -> None:
        self.monitor = MonitorPartition(rules)
        self.merge = Merge(topics, clock)
        self.restored: dict[str, int] = {}
        self.journal = Journal(self.monitor, clock)
        self.replayed: list[Record] = []


class Judge(StatefulInterceptor):
    """Joins readings and forecasts of the partitions with the same number.

    What a batch has changed is written with the last delivery of each topic. So state, offsets and events are in one
    transaction.
    """

    def __init__(
        self, rules: MonitorRules, topics: Sequence[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """topics: the input topics and the topic of forecasts. clock: monotonic, in seconds."""
        self._rules = rules
        self._topics = tuple(topics)
        self._clock = clock
        self.partitions: dict[int, AssignedPartition] = {}
        self.unusable = 0  # events since the start

    def series_names(self) -> list[str]:
        """The series that this process knows now."""
        return [name for assigned in self.partitions.values() for name in assigned.monitor.series]

    def restore(
        self, topic: str, partition: int, generation: int, committed: int, state: Iterable[StateRecord]
    ) -> int:
        assigned = self._assigned(partition)
        assigned.restored[topic] = generation
        assigned.merge.wait()
        next_offset = committed
        for record in state:
            if record.value is not None:
                next_offset = min(next_offset, assigned.journal.restore(topic, record, committed))
        return next_offset

    def replay(self, records: Sequence[Record]) -> None:
        """Keep the records until the state of all topics is there. Only for at-least-once, where state is behind."""
        for record in records:
            self._assigned(record.partition).replayed.append(record)

    def drop(self, topic: str, partition: int) -> None:
        assigned = self.partitions.get(partition)
        if assigned is not None:
            assigned.restored.pop(topic, None)
            assigned.merge.forget(topic)
            if not assigned.restored:
                del self.partitions[partition]

    async def on_consume(self, batch: Batch) -> Batch:
        by_number: dict[int, list[Delivery]] = {}
        for delivery in batch.deliveries:
            if delivery.outcome is None:
                by_number.setdefault(delivery.record.partition, []).append(delivery)
        for number, deliveries in by_number.items():
            assigned = self._assigned(number)
            for delivery in deliveries:
                if not delivery.generation:  # a consumer that keeps no state
                    assigned.restored.setdefault(delivery.record.topic, 0)
            usable = [
                delivery
                for delivery in deliveries
                if assigned.restored.get(delivery.record.topic) == delivery.generation
            ]
            keeps_state = any(delivery.generation for delivery in deliveries)
            if keeps_state and len(assigned.restored) < len(self._topics):
                assigned.merge.hold(usable)  # the state of the other topics may be newer
                continue
            self._apply_replayed(assigned)
            self._process(assigned, usable)
        return batch

    def _process(self, assigned: AssignedPartition, deliveries: Sequence[Delivery]) -> None:
        """Settle the deliveries that are next, and write what they change with the last one of each topic."""
        last: dict[str, Delivery] = {}
        noted: dict[str, list[Entry]] = {}
        monitor, place = assigned.monitor, 0
        ticks = [delivery for delivery in deliveries if type(delivery.record) is Tick]
        for delivery in ticks:
            events = monitor.tick(delivery.record.timestamp_ms)
            delivery.outcome = Forecast(events) if events else None
        ready = ticks + assigned.merge.ready(deliveries)
        topics = {delivery.record.topic for delivery in ready}
        for delivery in ready:
            topic = delivery.record.topic
            last[topic] = delivery
            if type(delivery.record) is not Tick:
                for part in delivery.windows or [delivery]:
                    events = self._events(monitor, part)
                    events += monitor.tick(part.record.timestamp_ms)
                    part.outcome = Forecast(events) if events else part.outcome or JOINED
            for note in monitor.notes:
                # A new series is noted for every topic: with at-least-once, a kill can come between their commits.
                for each in topics if note[0] == NEW else (topic,):
                    noted.setdefault(each, []).append((place, note))
                place += 1
            monitor.notes.clear()
        if noted:
            next_offsets = {topic: delivery.record.offset + 1 for topic, delivery in last.items()}
            for topic, records in assigned.journal.write(noted, next_offsets).items():
                last[topic].state += records

    def _apply_replayed(self, assigned: AssignedPartition) -> None:
        """Join the records that come after the state. Their events were published before."""
        assigned.journal.apply()
        assigned.replayed.sort(key=lambda record: record.timestamp_ms)
        for record in assigned.replayed:
            delivery = Delivery(record)
            read_delivery(delivery)
            self._events(assigned.monitor, delivery)
        assigned.replayed.clear()

    def _events(self, monitor: MonitorPartition, delivery: Delivery) -> list[OutputEvent]:
        """Take one event. Returns the events to publish; sets the outcome of an event that is not for the monitor."""
        event = delivery.event
        type_ = event.attributes["type"] if event is not None else None
        try:
            if event is not None and type_ == WINDOW:
                return monitor.add_reading(read_window(event), delivery.record.timestamp_ms)
            if event is not None and type_ == FORECAST:
                return monitor.add_forecast(read_forecast(event))
        except UnusableEvent as error:
            self.unusable += 1
            delivery.outcome = Skipped(str(error))
            return []
        delivery.outcome = OTHER
        return []

    def _assigned(self, number: int) -> AssignedPartition:
        if number not in self.partitions:
            self.partitions[number] = AssignedPartition(self._rules, self._topics, self._clock)
        return self.partitions[number]
