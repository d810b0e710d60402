"""The settled inputs as a read-committed reader sees them, and how long a partition had no output."""

from __future__ import annotations

import time
import uuid

from confluent_kafka import Consumer, TopicPartition
from kafka_container import PARTITIONS
from supervised_process import log_line

# A client may lose its connection after a broker's restart (consumer/kafka/connection.py): a reader without records for
# this long is replaced. An open transaction delays readers for less, at most 20 s.
READER_IDLE_S = 30.0


class Progress:
    """Reads the outcomes of inputs.

    ids: of the inputs that have an outcome. slowest_s: the longest time without any output.

    slowest_flow_s: by kind of fault, the longest time from `watch` until every partition has output that was published
    after the fault.
    """

    def __init__(self, servers: str, forecasts: str, dead_letters: str) -> None:
        self._servers = servers
        self._names = {forecasts: "ce_causationid", dead_letters: "ce_id"}
        self._next = {(topic, partition): 0 for topic in self._names for partition in range(PARTITIONS)}
        self._reader = self._new_reader()
        self._read_at_s = time.monotonic()
        self.ids: set[str] = set()
        self.slowest_s = 0.0
        self.slowest_flow_s: dict[str, float] = {}
        self._settled_at_s = time.monotonic()
        self._watched_since_s = 0.0
        self._fault_at_ms = 0.0
        self._without: set[int] = set()
        self._kind = ""

    @property
    def settled(self) -> int:
        return len(self.ids)

    @property
    def idle_s(self) -> float:
        """Seconds since the last outcome."""
        return time.monotonic() - self._settled_at_s

    def watch(self, kind: str) -> None:
        """Measure the time until each partition has output that was published from now on."""
        self._kind = kind
        self._watched_since_s, self._fault_at_ms = time.monotonic(), time.time() * 1000
        self._without = set(range(PARTITIONS))

    @property
    def flow_s(self) -> float | None:
        """Seconds since `watch`; None if every partition has output again."""
        return time.monotonic() - self._watched_since_s if self._without else None

    def _new_reader(self) -> Consumer:
        reader = Consumer(
            {
                "bootstrap.servers": self._servers,
                "group.id": f"progress-{uuid.uuid4().hex}",
                "auto.offset.reset": "earliest",
                "isolation.level": "read_committed",
                "enable.auto.commit": False,
                "log_level": 2,
            }
        )
        reader.assign([TopicPartition(*place, offset) for place, offset in self._next.items()])
        return reader

    def read(self) -> None:
        """Read new outcomes."""
        before = len(self.ids)
        if time.monotonic() - self._read_at_s > READER_IDLE_S:
            log_line(f"nothing was read for {READER_IDLE_S:g} s: a new reader replaces this one")
            self._reader.close()
            self._reader, self._read_at_s = self._new_reader(), time.monotonic()
        for message in self._reader.consume(1000, 0.05):
            if message.error() is not None:
                continue
            self._read_at_s = time.monotonic()
            self._next[message.topic(), message.partition()] = message.offset() + 1
            id_ = dict(message.headers() or [])[self._names[message.topic()]].decode()
            self.ids.add(id_)
            if message.partition() in self._without and message.timestamp()[1] > self._fault_at_ms:
                self._without.discard(message.partition())
                if not self._without:
                    flow_s = time.monotonic() - self._watched_since_s
                    log_line(f"all partitions flow again {flow_s:.1f} s after the fault {self._kind!r}")
                    self.slowest_flow_s[self._kind] = max(self.slowest_flow_s.get(self._kind, 0.0), flow_s)
        if len(self.ids) > before:
            self.slowest_s = max(self.slowest_s, self.idle_s)
            self._settled_at_s = time.monotonic()

    def close(self) -> None:
        self._reader.close()
