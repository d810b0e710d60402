"""An example of a user's stateful interceptor: a running sum of each key, published for each record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from interceptor.contract import StatefulInterceptor
from interceptor.delivery import Batch, Delivery, Record, StateRecord, Tick
from interceptor.errors import StateError
from interceptor.outcome import Forecast, OutputEvent

VERSION = 1
SNAPSHOT_EVERY = 50  # records of a partition
HEADER = b"."  # the key of the record with version and offset


class Sums:
    """The state of one partition. next_offset: of the first record that it does not hold."""

    def __init__(self, generation: int, next_offset: int) -> None:
        self.generation = generation
        self.next_offset = next_offset
        self.sums: dict[str, dict[str, Any]] = {}
        self.changed: set[str] = set()
        self.records = 0  # since the last snapshot

    def add(self, record: Record) -> dict[str, Any]:
        key = (record.key or b"").decode()
        entry = self.sums.setdefault(key, {"sum": 0, "count": 0, "is_open": False})
        entry["sum"] += int(record.value or b"0")
        entry["count"] += 1
        entry["is_open"] = True
        self.changed.add(key)
        self.records += 1
        self.next_offset = record.offset + 1
        return entry

    def snapshot(self) -> list[StateRecord]:
        """What has changed, and up to which offset."""
        found = [
            StateRecord(key.encode(), json.dumps(self.sums[key]).encode()) for key in sorted(self.changed)
        ]
        self.changed.clear()
        self.records = 0
        header = {"version": VERSION, "next_offset": self.next_offset, "keys": len(self.sums)}
        return [*found, StateRecord(HEADER, json.dumps(header).encode())]


class RunningSums(StatefulInterceptor):
    """Each record is published with the sum of its key so far. At a tick, each key that got records is closed."""

    def __init__(self) -> None:
        self.partitions: dict[tuple[str, int], Sums] = {}

    async def on_consume(self, batch: Batch) -> Batch:
        last: dict[tuple[str, int], Delivery] = {}
        for delivery in batch.deliveries:
            record = delivery.record
            sums = self.partitions.get((record.topic, record.partition))
            if delivery.outcome is not None or sums is None or sums.generation != delivery.generation:
                continue
            if isinstance(record, Tick):
                self._close(delivery, sums)
                continue
            key = (record.key or b"").decode()
            entry = sums.add(record)
            delivery.outcome = forecast(f"{key}:{record.partition}:{record.offset}", entry["sum"])
            last[record.topic, record.partition] = delivery
        for partition, delivery in last.items():
            if self.partitions[partition].records >= SNAPSHOT_EVERY:
                delivery.state += self.partitions[partition].snapshot()
        return batch

    def _close(self, tick: Delivery, sums: Sums) -> None:
        events = []
        for key, entry in sums.sums.items():
            if entry["is_open"]:
                entry["is_open"] = False
                sums.changed.add(key)
                id_ = f"{key}:{tick.record.partition}:closed:{entry['count']}"
                events += forecast(id_, entry["sum"]).events
        if events:
            tick.outcome = Forecast(events)
        if sums.changed:
            tick.state += sums.snapshot()

    def restore(
        self, topic: str, partition: int, generation: int, committed: int, state: Iterable[StateRecord]
    ) -> int:
        records = {record.key: json_of(record.value) for record in state}
        header = records.pop(HEADER, None)
        if header is None and records:
            raise StateError("its header is missing. Rebuild it: fncast state reset")
        sums = Sums(generation, committed)
        self.partitions[topic, partition] = sums
        if header is None or header.get("next_offset", 0) > committed:
            return committed
        if header.get("version") != VERSION:
            raise StateError(
                f"version {header.get('version')} is not {VERSION}. Rebuild it: fncast state reset"
            )
        if header["keys"] != len(records):
            raise StateError(
                f"{len(records)} of {header['keys']} keys are there. Rebuild it: fncast state reset"
            )
        sums.sums = {key.decode(): entry for key, entry in records.items()}
        sums.next_offset = int(header["next_offset"])
        return sums.next_offset

    def replay(self, records: Sequence[Record]) -> None:
        for record in records:
            self.partitions[record.topic, record.partition].add(record)

    def drop(self, topic: str, partition: int) -> None:
        self.partitions.pop((topic, partition), None)


def forecast(id_: str, value: int) -> Forecast:
    headers: list[tuple[str, bytes | None]] = [("ce_id", id_.encode())]
    return Forecast([OutputEvent(headers, b"%d" % value)])


def json_of(value: bytes | None) -> Any:
    try:
        return json.loads(value or b"")
    except ValueError as error:
        raise StateError(f"it is truncated: {error}. Rebuild it: fncast state reset") from None
