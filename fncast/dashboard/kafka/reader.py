"""Reads topics in a separate thread. Joins no group, commits no offsets, creates no topics, survives broker outages."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

from confluent_kafka import KafkaError, KafkaException, Message

from fncast.dashboard.events.record import Headers, ReceivedRecord
from fncast.dashboard.kafka.batch_queue import BatchQueue
from fncast.dashboard.kafka.broker_state import BrokerState
from fncast.dashboard.kafka.offsets import list_partitions
from fncast.dashboard.kafka.partitions import Partitions
from fncast.dashboard.kafka.reader_client import InvalidProperties, create_consumer, reader_properties
from fncast.dashboard.kafka.topic_ids import TopicIds
from fncast.foreign_text import clean
from fncast.wording.kafka import describe, map_kafka_errors

log = logging.getLogger(__name__)

BATCH_RECORDS = 500
POLL_S = 0.2
# Intervals of the search for new topics and partitions: normally, and while a topic is missing.
SEARCH_S, SEARCH_MISSING_S = 10.0, 1.0
# After this long without records, check that the broker still answers. During an outage, check every time.
QUIET_S = 3.0
# A librdkafka client can stay disconnected forever, although the broker is back. Replace it this often in an outage.
RENEW_S = 15.0
# Pauses after unexpected errors. The thread does not end before `close`.
RESTART_S = (1.0, 2.0, 5.0, 10.0, 30.0)
CLOSE_S = 5.0
MAX_PROBLEM = 300

# Errors of a partition that no longer exists. They start a search for partitions.
GONE = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_PARTITION, KafkaError._UNKNOWN_TOPIC})


class TopicReader:
    """Reads the records of topics. Its own thread fills a queue, and another thread takes batches from it.

    history: how many records before the end of each partition to start with; None starts at the beginning.
    max_lag: beyond this lag in records, skip to `history` records before the end; None never skips.
    Raises InvalidProperties.
    """

    def __init__(
        self,
        client_properties: Mapping[str, str],
        topics: Sequence[str],
        history: int | None,
        max_lag: int | None = None,
    ) -> None:
        self._topics = tuple(dict.fromkeys(topics))
        self._partitions = Partitions(history, max_lag)
        self._batches = BatchQueue()
        self._stop = threading.Event()
        self.state = BrokerState(None, time.time(), address=client_properties.get("bootstrap.servers", ""))
        self._has_started = False
        self._searched_s = -SEARCH_S
        self._answered_s = time.monotonic()
        self._last_error = ""  # librdkafka's last error
        self._properties = reader_properties(client_properties, self._on_error)
        self._topic_ids = TopicIds(client_properties)
        self._renew_at_s = time.monotonic() + RENEW_S
        with map_kafka_errors(lambda cause: InvalidProperties(describe(cause))):
            self._consumer = create_consumer(self._properties)
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop reading and wait for the thread, at most CLOSE_S."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_S)

    def take(self, timeout_s: float = 0.0) -> list[ReceivedRecord]:
        """Return the next batch, or an empty list after `timeout_s`."""
        return self._batches.take(timeout_s)

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                if failures:
                    self._renew()
                self._poll_or_wait()
                failures = 0
            except BaseException as error:  # the thread must continue, whatever a library raises
                log.exception("Reading failed. Trying again.")
                self._set_state(False, f"reading failed ({type(error).__name__}: {error}); trying again")
                self._stop.wait(RESTART_S[min(failures, len(RESTART_S) - 1)])
                failures += 1
        self._consumer.close()

    def _poll_or_wait(self) -> None:
        try:
            self._poll_once()
        except KafkaException as error:
            self._set_unreachable(error.args[0])

    def _poll_once(self) -> None:
        """Read a batch. Search for partitions when due, or to check that a quiet broker still answers."""
        has_records = self._read(POLL_S if self._partitions else 0.0)
        now = time.monotonic()
        created_again = self._topic_ids.created_again(now, self._topics)
        search_s = SEARCH_MISSING_S if self.state.missing or not self._has_started else SEARCH_S
        is_due = now - self._searched_s >= search_s
        is_quiet = self.state.connected is False or now - self._answered_s > QUIET_S
        if created_again or is_due or (is_quiet and not has_records):
            self._search(created_again)
        elif not self._partitions:
            self._stop.wait(POLL_S)

    def _read(self, timeout_s: float) -> bool:
        """Queue the next batch. Returns whether there were records."""
        messages = self._consumer.consume(BATCH_RECORDS, timeout_s)
        records = [record for message in messages if (record := self._received(message)) is not None]
        if records:
            self._set_connected()
            self._put(records)
            self._partitions.count(records)
            if skipped := self._partitions.keep_up(self._consumer):
                self.state = replace(self.state, skipped=self.state.skipped + skipped)
        return bool(records)

    def _search(self, created_again: Sequence[str] = ()) -> None:
        """Find new partitions, and those that are gone. Raises KafkaException if the broker does not answer.

        created_again: topics whose partitions are new, although there are some with the same number.
        """
        for topic in created_again:
            log.warning("topic %s was deleted and created again: it is read from its beginning", topic)
            self._partitions.remove_topic(self._consumer, topic)
        found, missing = list_partitions(self._consumer, self._topics)
        for topic in missing:
            self._topic_ids.forget(topic)
        self._searched_s = time.monotonic()
        self._partitions.update(self._consumer, found)
        self._has_started = True
        self._set_connected()
        if tuple(missing.items()) != self.state.missing:
            self.state = replace(self.state, missing=tuple(missing.items()))

    def _received(self, message: Message) -> ReceivedRecord | None:
        """The record of a message. None for an error, which is noted."""
        error = message.error()
        if error is not None:
            if error.code() in GONE:
                self._searched_s = -SEARCH_S
            else:
                self._set_state(self.state.connected, problem=describe(error))
            return None
        topic, partition, offset = message.topic() or "", message.partition() or 0, message.offset() or 0
        kind, timestamp_ms = message.timestamp()
        try:
            headers = cast(Headers, message.headers() or [])
        except (SystemError, UnicodeDecodeError):
            # confluent-kafka decodes header names as UTF-8, but Kafka allows any bytes.
            headers = []
        return ReceivedRecord(
            topic,
            partition,
            offset,
            timestamp_ms / 1000 if kind else None,
            message.value(),
            list(headers),
            self._partitions.is_live((topic, partition), offset),
            message.key(),
        )

    def _put(self, records: list[ReceivedRecord]) -> None:
        while not self._stop.is_set() and not self._batches.put(records, POLL_S):
            pass

    def _set_connected(self) -> None:
        self._answered_s = time.monotonic()
        self._renew_at_s = self._answered_s + RENEW_S
        self._last_error = ""
        if self.state.connected is not True or self.state.problem:
            self._set_state(connected=True)

    def _set_unreachable(self, error: KafkaError) -> None:
        """Record that the broker does not answer, unless there are records to read."""
        with contextlib.suppress(KafkaException):
            # Reading delivers librdkafka's own errors, which are more precise.
            if self._read(0.0):
                return
        self._set_state(connected=False, problem=self._last_error or describe(error))
        if time.monotonic() >= self._renew_at_s:
            self._renew()
        self._stop.wait(POLL_S)

    def _renew(self) -> None:
        """Continue with a new client, from the offsets that this reader has counted.

        The old client's positions cannot be used: it has none before its first record.
        """
        old, self._consumer = self._consumer, create_consumer(self._properties)
        self._renew_at_s = time.monotonic() + RENEW_S
        self._partitions.continue_with(self._consumer)
        # Closing can block until a broker answers, so do it in another thread.
        threading.Thread(target=old.close, name="leave", daemon=True).start()

    def _set_state(self, connected: bool | None, problem: str = "") -> None:
        since_s = self.state.since_s if connected is self.state.connected else time.time()
        self.state = replace(
            self.state, connected=connected, since_s=since_s, problem=clean(problem, MAX_PROBLEM)
        )

    def _on_error(self, error: KafkaError) -> None:
        """Remember librdkafka's error as the reason. Requests to the broker decide whether it can be reached."""
        log.debug("%s", error)
        if error.code() == KafkaError._ALL_BROKERS_DOWN:
            self._answered_s = -QUIET_S
        else:
            self._last_error = describe(error)
        if error.code() == KafkaError._AUTHENTICATION:
            self._set_state(self.state.connected, problem=describe(error))
