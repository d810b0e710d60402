"""The state topic for operators: a summary of its records, and how to reset it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import msgspec
from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.admin import AdminClient

from consumer.errors import ConsumerError
from consumer.kafka.errors import create_client, failing_as, map_kafka_errors
from consumer.lanes.lane import Partition
from consumer.state.keys import MARKER, StateKey, marker_key, parse, place_of
from consumer.state.reader import NoTopic, Reader, Unavailable
from consumer.state.snapshot import Marker
from fncast.wording.kafka import describe
from interceptor.assembly.snapshot import HEAD

ANSWER_S = 10.0
FLUSH_S = 30.0
TRIES = 5
RETRY_S = 0.5
NO_ANSWER = f"the broker did not answer within {FLUSH_S:g} s"

Result = TypeVar("Result")
Written = tuple[int, bytes, bytes | None]  # partition of the state topic, key and value


@dataclass
class PartitionSummary:
    """The state of one interceptor in one input partition.

    version, offset, series: of the windows' snapshot, None for other interceptors. offset: the first one that it does
    not hold. newest_ms: when the newest record was written, in milliseconds since 1970 UTC.
    """

    topic: str
    partition: int
    interceptor: str
    version: int | None = None
    offset: int | None = None
    series: int | None = None
    records: int = 0
    bytes: int = 0
    newest_ms: int = 0


@dataclass
class _NewestRecord:
    """The newest record of a key, without its value: the values of all keys may not fit into memory.

    partition: of the state topic. raw: the key as bytes. value_bytes: the size of the value. head: the value of the
    head of a windows' snapshot; None for other records.
    """

    key: StateKey
    partition: int
    raw: bytes
    value_bytes: int
    head: bytes | None
    timestamp_ms: int


class StateTopic:
    """The state of one group. Every method raises ConsumerError."""

    def __init__(self, properties: Mapping[str, str], topic: str, group: str) -> None:
        self._properties = properties
        self._servers = properties["bootstrap.servers"]
        self._topic = topic
        self._group = group

    def summaries(self) -> list[PartitionSummary]:
        """A summary for each interceptor of each input partition, in the order of topic, partition and interceptor."""
        found: dict[tuple[str, int, str], PartitionSummary] = {}
        for newest in self._read():
            key = newest.key
            if key.owner == MARKER:
                continue
            name = (key.topic, key.partition, key.owner)
            summary = found.setdefault(name, PartitionSummary(*name))
            summary.records += 1
            summary.bytes += len(newest.raw) + newest.value_bytes
            summary.newest_ms = max(summary.newest_ms, newest.timestamp_ms)
            if newest.head is not None:
                summary.version, summary.offset, summary.series = _head(newest.head)
        return [found[name] for name in sorted(found)]

    def reset(self, topics: Collection[str], *, is_replayed: bool) -> list[Partition]:
        """Delete the state of these topics; without any, of all topics. Returns the partitions that had state.

        is_replayed: the next start reads their input from the first record that Kafka has. Otherwise it begins with
        empty windows at the group's committed offsets. Raises ConsumerError while the group has members.
        """
        if members := self._members():
            raise ConsumerError(
                f"the group {self._group!r} has members ({members}), which would continue with the state in their"
                " memory. Stop them, then reset the state"
            )
        wanted = [newest for newest in self._read() if not topics or newest.key.topic in topics]
        partitions = sorted({(newest.key.topic, newest.key.partition) for newest in wanted})
        records: list[Written] = [(newest.partition, newest.raw, None) for newest in wanted]
        if is_replayed:
            records += self._markers(partitions)
        self._write(records)
        return partitions

    def _markers(self, partitions: Collection[Partition]) -> list[Written]:
        """Records after which the next start reads these partitions' input from its first record."""
        count = self._with_reader(lambda reader: reader.partitions_of(self._topic))
        return [
            (
                place_of(partition[1], count),
                marker_key(self._group, partition),
                msgspec.json.encode(Marker(count, self._first_offset(partition))),
            )
            for partition in partitions
        ]

    def _write(self, records: Iterable[Written]) -> None:
        """Write records to the state topic. Raises ConsumerError unless the broker stores all of them."""
        producer = create_client(Producer, {**self._properties, "log_level": 2, "enable.idempotence": True})
        failures: list[str] = []

        def delivered(error: KafkaError | None, _: object) -> None:
            if error is not None:
                failures.append(describe(error))

        for record in records:
            self._produce(producer, record, delivered)
        if producer.flush(FLUSH_S):
            failures.append(NO_ANSWER)
        if failures:
            raise _incomplete(failures[0])

    def _produce(self, producer: Producer, record: Written, delivered: Callable[..., None]) -> None:
        """Hand a record to the client. Waits while the client's queue is full. Raises ConsumerError."""
        partition, key, value = record
        until_s = time.monotonic() + FLUSH_S
        while time.monotonic() < until_s:
            try:
                with map_kafka_errors(lambda cause: _incomplete(describe(cause))):
                    producer.produce(self._topic, value, key, partition, on_delivery=delivered)
                producer.poll(0)
                return
            except BufferError:
                producer.poll(RETRY_S)
        raise _incomplete(NO_ANSWER)

    def _first_offset(self, partition: Partition) -> int:
        """The offset of the first record that Kafka has of an input partition."""
        return self._with_reader(lambda reader: reader.bounds(partition)[0], f"the topic {partition[0]!r}")

    def _members(self) -> int:
        """How many members the group has."""
        admin = create_client(AdminClient, {**self._properties, "log_level": 2})
        with map_kafka_errors(
            failing_as(f"the members of the group {self._group!r} at {self._servers} are not known")
        ):
            answer = admin.describe_consumer_groups([self._group], request_timeout=ANSWER_S)[self._group]
            return len(answer.result().members)

    def _read(self) -> Iterator[_NewestRecord]:
        """The newest record of each key of the group, without deleted keys."""
        newest: dict[tuple[int, bytes], _NewestRecord] = {}

        def read(reader: Reader) -> None:
            newest.clear()
            for message in self._messages(reader):
                raw, value, partition = message.key() or b"", message.value(), message.partition() or 0
                key = parse(raw)
                if key is None or key.group != self._group:
                    continue
                if value is None:
                    newest.pop((partition, raw), None)
                else:
                    head = value if key.owner == "assemble" and key.key == HEAD else None
                    written_ms = message.timestamp()[1]
                    newest[partition, raw] = _NewestRecord(key, partition, raw, len(value), head, written_ms)

        self._with_reader(read)
        return iter(list(newest.values()))

    def _messages(self, reader: Reader) -> Iterator[Message]:
        """All records of the state topic, partition by partition."""
        for partition in range(reader.partitions_of(self._topic)):
            first, end = reader.bounds((self._topic, partition))
            for chunk in reader.read((self._topic, partition), first, end):
                yield from chunk

    def _with_reader(self, call: Callable[[Reader], Result], what: str = "") -> Result:
        """Return what the call returns. While the broker does not answer, call it again with a new reader.

        what: for the error, what the call reads; by default the state topic.
        """
        for attempt in range(1, TRIES + 1):
            reader = Reader(self._properties, self._group)
            try:
                return call(reader)
            except Unavailable as reason:
                if attempt == TRIES:
                    raise self._unreadable(reason, what or f"the state topic {self._topic!r}") from None
            finally:
                reader.close()
            time.sleep(RETRY_S)
        raise AssertionError("unreachable")

    def _unreadable(self, reason: Unavailable, what: str) -> ConsumerError:
        if isinstance(reason, NoTopic):
            return ConsumerError(
                f"there is no state at {self._servers}: {reason}. `fncast consume` creates it when an input has a"
                " format of readings. If yours has another name, set [kafka] state_topic"
            )
        return ConsumerError(f"{what} at {self._servers} cannot be read: {reason}")


def _incomplete(reason: str) -> ConsumerError:
    return ConsumerError(f"the state was not deleted completely: {reason}. Reset it again")


def _head(value: bytes) -> tuple[int | None, int | None, int | None]:
    """Version, offset and number of series of a snapshot of windows; None where they cannot be read."""
    try:
        version, offset, _, series = msgspec.msgpack.decode(value, type=list)[:4]
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None, None, None
    return version, offset, series
