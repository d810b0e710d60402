"""Reads topics in a thread of its own: joins no group, commits nothing, creates nothing, outlives its broker."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from fncast.dashboard.offsets import from_beginning, list_partitions, near_end
from fncast.dashboard.record import Headers, ReceivedRecord
from fncast.wording.kafka import words

log = logging.getLogger(__name__)

BATCH_RECORDS = 500
# Batches read ahead of the taker; beyond, the records wait at the broker.
QUEUE_BATCHES = 40
POLL_S = 0.2
# New topics and partitions are looked for this often; while a topic is missing, oftener.
LOOK_S, LOOK_MISSING_S = 10.0, 1.0
# A broker that has sent nothing for so long is asked whether it is still there; one that is away, every time.
QUIET_S = 3.0
# A client may lose its way to a broker for good (see `consumer/kafka/connection.py`): of one that is away for so
# long another client asks, and again after as long.
RENEW_S = 15.0
# After an error that nobody expected; the thread itself never ends before `close`.
RESTART_S = (1.0, 2.0, 5.0, 10.0, 30.0)
CLOSE_S = 5.0
MAX_PROBLEM = 300

# Errors that a record's partition can have because it is gone: it is looked for anew.
GONE = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_PARTITION, KafkaError._UNKNOWN_TOPIC})


class InvalidProperties(ValueError):
    """librdkafka refuses the client's properties; the text says which."""


@dataclass(frozen=True, slots=True)
class BrokerState:
    """What the reader knows of its broker, and the `address` that it was given. since_s: when it became so, in
    seconds since 1970.

    connected: None while it was never reached nor missed. problem: why not, or what else hinders reading.
    missing: topics that cannot be read yet, and why. skipped: records left out to keep up with the topics."""

    connected: bool | None
    since_s: float
    problem: str = ""
    missing: tuple[tuple[str, str], ...] = ()
    skipped: int = 0
    address: str = ""


class TopicReader:
    """Records of `topics`, from the end less `history` a partition; one thread fills, any other takes.

    history: None reads everything from the beginning. max_lag: if further behind than this, skip to the end less
    `history` and count what was left out; None never skips. Raises InvalidProperties."""

    def __init__(
        self,
        client_properties: Mapping[str, str],
        topics: Sequence[str],
        history: int | None,
        max_lag: int | None = None,
    ) -> None:
        self._topics = tuple(dict.fromkeys(topics))
        self._history = history
        self._max_lag = max_lag
        self._batches: queue.Queue[list[ReceivedRecord]] = queue.Queue(QUEUE_BATCHES)
        self._stop = threading.Event()
        self.state = BrokerState(None, time.time(), address=client_properties.get("bootstrap.servers", ""))
        self._assigned: dict[tuple[str, int], int] = {}  # partition → offset from which its records are live
        self._offsets: dict[tuple[str, int], int] = {}  # partition → the offset to read next
        self._began = False
        self._looked_s = -LOOK_S
        self._heard_s = time.monotonic()
        self._complaint = ""  # librdkafka's last
        self._properties = _properties(client_properties, self._on_error)
        self._renew_at_s = time.monotonic() + RENEW_S
        try:
            self._consumer = self._make()
        except KafkaException as error:
            raise InvalidProperties(words(error.args[0])) from None
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)

    def _make(self) -> Consumer:
        return Consumer(self._properties, logger=_Murmur())

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop reading; waits for the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def take(self, timeout_s: float = 0.0) -> list[ReceivedRecord]:
        """The next batch; empty if there is none within `timeout_s`."""
        try:
            return self._batches.get(timeout_s > 0, timeout_s or None)
        except queue.Empty:
            return []

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                if failures:
                    self._renew()
                self._turn_or_wait()
                failures = 0
            except Exception as error:
                log.exception("Reading failed. It is tried again.")
                self._become(False, f"reading failed ({type(error).__name__}: {error}); trying again")
                self._stop.wait(RESTART_S[min(failures, len(RESTART_S) - 1)])
                failures += 1
        self._consumer.close()

    def _turn_or_wait(self) -> None:
        try:
            self._turn()
        except KafkaException as error:
            self._away(error.args[0])

    def _turn(self) -> None:
        """One round: read a batch; look for partitions when it is time; ask after a broker that is quiet."""
        came = self._read(POLL_S if self._assigned else 0.0)
        now = time.monotonic()
        away = self.state.connected is False
        due_s = LOOK_MISSING_S if self.state.missing or not self._began else LOOK_S
        if now - self._looked_s >= due_s or (not came and (away or now - self._heard_s > QUIET_S)):
            self._look()
        elif not self._assigned:
            self._stop.wait(POLL_S)

    def _read(self, timeout_s: float) -> bool:
        """Queue the next batch. Returns whether records came."""
        messages = self._consumer.consume(BATCH_RECORDS, timeout_s)
        records = [record for message in messages if (record := self._record(message)) is not None]
        if records:
            self._here()
            self._put(records)
            for record in records:
                self._offsets[record.topic, record.partition] = record.offset + 1
            self._keep_up()
        return bool(records)

    def _look(self) -> None:
        """Assign partitions that are new. Raises KafkaException where the broker does not answer."""
        found, missing = list_partitions(self._consumer, self._topics)
        self._looked_s = time.monotonic()
        new = [partition for partition in found if partition not in self._assigned]
        gone = [partition for partition in self._assigned if partition not in found]
        if gone:
            self._consumer.incremental_unassign([TopicPartition(*partition) for partition in gone])
            for partition in gone:
                del self._assigned[partition], self._offsets[partition]
        # What appears later is new from its first record on.
        starts = {
            p: (from_beginning(p), 0) if self._began or self._history is None else self._end(p) for p in new
        }
        if starts:
            self._consumer.incremental_assign([start for start, _ in starts.values()])
            self._assigned.update({partition: live for partition, (_, live) in starts.items()})
            self._offsets.update({partition: start.offset for partition, (start, _) in starts.items()})
        self._began = True
        self._here()
        if tuple(missing.items()) != self.state.missing:
            self.state = replace(self.state, missing=tuple(missing.items()))

    def _end(self, partition: tuple[str, int]) -> tuple[TopicPartition, int]:
        return near_end(self._consumer, partition, self._history or 0)

    def _record(self, message: Message) -> ReceivedRecord | None:
        error = message.error()
        if error is not None:
            if error.code() in GONE:
                self._looked_s = -LOOK_S
            else:
                self._become(self.state.connected, problem=words(error))
            return None
        topic, partition, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
        kind, timestamp_ms = message.timestamp()
        try:
            headers = cast(Headers, message.headers() or [])
        except (
            SystemError,
            UnicodeDecodeError,
        ):  # the driver decodes names as UTF-8, Kafka does not ask for it
            headers = []
        return ReceivedRecord(
            topic,
            partition,
            offset,
            timestamp_ms / 1000 if kind else None,
            message.value(),
            list(headers),
            offset >= self._assigned.get((topic, partition), 0),
        )

    def _put(self, records: list[ReceivedRecord]) -> None:
        while not self._stop.is_set():
            try:
                self._batches.put(records, timeout=POLL_S)
                return
            except queue.Full:
                continue

    def _keep_up(self) -> None:
        """Skip what a page could show only late: it shows what is now."""
        if self._max_lag is None:
            return
        for position in self._consumer.position([TopicPartition(*partition) for partition in self._assigned]):
            low, high = self._consumer.get_watermark_offsets(position, cached=True)
            if position.offset >= 0 and high - position.offset > self._max_lag:
                start = max(low, high - (self._history or 0))
                self._consumer.seek(TopicPartition(position.topic, position.partition, start))
                self._offsets[position.topic, position.partition] = start
                skipped = self.state.skipped + start - position.offset
                self.state = replace(self.state, skipped=skipped)

    def _here(self) -> None:
        self._heard_s = time.monotonic()
        self._renew_at_s = self._heard_s + RENEW_S
        self._complaint = ""
        if self.state.connected is not True or self.state.problem:
            self._become(connected=True)

    def _away(self, error: KafkaError) -> None:
        """Take note that the broker does not answer, unless records come all the same."""
        with contextlib.suppress(KafkaException):
            # librdkafka tells its own errors, which say more, to those who read.
            if self._read(0.0):
                return
        self._become(connected=False, problem=self._complaint or words(error))
        if time.monotonic() >= self._renew_at_s:
            self._renew()
        self._stop.wait(POLL_S)

    def _renew(self) -> None:
        """Continue with a new client, from the offsets that this reader has counted.

        A client's own position is unknown until its first record, so a client renewed twice has none."""
        old, self._consumer = self._consumer, self._make()
        self._renew_at_s = time.monotonic() + RENEW_S
        if self._offsets:
            self._consumer.incremental_assign(
                [TopicPartition(*partition, offset) for partition, offset in self._offsets.items()]
            )
        # Nobody waits for its end: it may wait for a broker.
        threading.Thread(target=old.close, name="old reader", daemon=True).start()

    def _become(self, connected: bool | None, problem: str = "") -> None:
        since_s = self.state.since_s if connected is self.state.connected else time.time()
        self.state = replace(self.state, connected=connected, since_s=since_s, problem=problem[:MAX_PROBLEM])

    def _on_error(self, error: KafkaError) -> None:
        """librdkafka's own word: it only explains; whether the broker is there is asked of the broker."""
        log.debug("%s", error)
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._heard_s = -QUIET_S
        else:
            self._complaint = words(error)
        if error.code() == KafkaError._AUTHENTICATION:
            self._become(self.state.connected, problem=words(error))


class _Murmur:
    """librdkafka's log, all of it for debugging: what a user should know of it is in the state."""

    def log(self, level: int, text: str, *arguments: object) -> None:
        log.debug(text, *arguments)


def _properties(
    client_properties: Mapping[str, str], on_error: Callable[[KafkaError], None]
) -> dict[str, Any]:
    return {
        **client_properties,
        # librdkafka wants a name; without a subscription and commits no group is made of it.
        "group.id": f"fncast-reader-{uuid.uuid4()}",
        "enable.auto.commit": "false",
        "enable.auto.offset.store": "false",
        # After a topic was made anew, or cut before we had read it.
        "auto.offset.reset": "earliest",
        "allow.auto.create.topics": "false",
        "queued.max.messages.kbytes": "16384",
        "error_cb": on_error,
    }
