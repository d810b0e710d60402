"""The publisher of the delivery guarantee `exactly-once`: Kafka's transactions (KIP-98, KIP-447).

Each commit is one transaction: begin, produce, send the offsets with the group's metadata, commit. An abortable error
aborts it, and the loop publishes again from memory. After any other error, and where a commit has no answer, a new
producer with the same transactional.id takes over. Its `init_transactions` fences the old producer and returns once
the broker has ended the old transaction. The group's committed offsets then say how it ended (`commits.py`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any, NoReturn

from confluent_kafka import KafkaError, KafkaException

from consumer.errors import ConsumerError, NotPublished, OutcomeUnknown
from consumer.kafka.authorization import denial
from consumer.kafka.base_producer import CUT_OFF, GONE, Producing
from consumer.kafka.fencing import FENCED, Fencing
from consumer.kafka.source import topic_partitions
from consumer.kafka.timeouts import ended_within
from consumer.lane import Partition

COMMIT_S = 0.015  # readers of committed records see results after about this
# The broker still writes the markers of the last transaction, and refuses the first request of the next one until it
# has. A short wait is quicker than the client's retry.
SETTLE_S = 0.004
TRANSACTION_TIMEOUT_MS = 10_000  # what a killed producer left open holds readers up for no longer
INIT_STEP_S = 0.5  # librdkafka goes on in the background; the loop polls in between
CALL_S = 8.0  # of one call to the broker; the transaction times out soon after
ABORT_S = 2.0  # the loop waits for it; a new producer's start aborts as well
CLOSE_S = 0.5
WARN_AFTER_S = 3.0


class ExactlyOnce(Producing):
    """Commits outputs, dead letters and offsets in one transaction. Fences an older producer of the same identity."""

    commits_offsets = True
    commit_interval_s = COMMIT_S
    settle_s = SETTLE_S

    def __init__(self, client_properties: Mapping[str, str], partitioner: str, transactional_id: str) -> None:
        self._is_ready = self._is_open = False
        self._began_at_s = 0.0
        self._waiting_since_s: float | None = None
        self._fencing = Fencing(transactional_id)
        own = {"transactional.id": transactional_id, "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS}
        super().__init__(client_properties, partitioner, own)

    def start(self) -> bool:
        if not self._is_open and self._is_cut_off():
            self._replace_producer(KafkaError(KafkaError._TRANSPORT, CUT_OFF))
        if self._is_ready:
            return True
        try:
            self._producer.init_transactions(INIT_STEP_S)
        except KafkaException as error:
            cause = error.args[0]
            if cause.code() in (*FENCED, KafkaError._CONFLICT):
                self._replace_producer(cause)
            elif not cause.retriable():
                raise ConsumerError(
                    f"the broker does not give exactly-once: {cause.str()};"
                    ' set delivery = "at-least-once" in [kafka] where repeats are acceptable'
                ) from None
            self._waiting_since_s = self._waiting_since_s or time.monotonic()
            if time.monotonic() - self._waiting_since_s >= WARN_AFTER_S:
                self._tell("waiting for the broker to take up transactions")
            return False
        self._is_ready, self._waiting_since_s = True, None
        self._told.clear()
        return True

    def publish(self, *record: Any) -> None:
        if not self._is_open:
            self._begin()
        super().publish(*record)

    def _begin(self) -> None:
        try:
            self._producer.begin_transaction()
        except KafkaException as error:
            self._replace_producer(error.args[0])
            raise NotPublished(error.args[0].str()) from None
        self._is_open, self._began_at_s = True, time.monotonic()

    def _refused(self, cause: KafkaError, topic: str) -> NoReturn:
        """The client takes no record: the transaction has failed, or the topic is gone."""
        self.abort()
        if cause.code() in GONE and self._is_ready:
            self._replace_producer(cause)  # which asks the broker for its topics again
        raise (denial(cause, [topic]) or NotPublished(cause.str())) from None

    def finish(self, offsets: Mapping[Partition, int], group_metadata: Any) -> None:
        if not self._is_open:
            self._begin()  # skipped records have offsets and no output
        producer, positions = self._producer, topic_partitions(offsets)
        try:
            ended_within(
                CALL_S, lambda: producer.send_offsets_to_transaction(positions, group_metadata, CALL_S)
            )
            ended_within(CALL_S, lambda: producer.commit_transaction(CALL_S))
        except KafkaException as error:
            self._recover(error.args[0])
        self._is_open = False
        self._told.clear()
        self._refusals.forget_suspects()

    def _recover(self, cause: KafkaError) -> NoReturn:
        if cause.txn_requires_abort():
            is_aborted = self._is_aborted()
            denied = self._denial(cause)
            if denied or is_aborted:
                raise (denied or NotPublished(cause.str())) from None
        elif denied := self._denial(cause):
            raise denied from None
        else:
            self._replace_producer(cause)
        raise OutcomeUnknown(cause.str()) from None

    def abort(self) -> None:
        if self._is_open:
            self._is_aborted()

    def _is_aborted(self) -> bool:
        """Abort the open transaction. False where the broker did not confirm it: another producer takes over then."""
        try:
            ended_within(ABORT_S, lambda: self._producer.abort_transaction(ABORT_S), late_s=0.0)
        except KafkaException as error:
            self._replace_producer(error.args[0])
            return False
        self._is_open, self._failure = False, None
        return True

    def _replace_producer(self, cause: KafkaError) -> None:
        """Make a new producer of the same identity; `start` makes it ready. Raises ConsumerError where two consumers
        fence each other again and again."""
        is_fenced = cause.code() in FENCED
        age_s = time.monotonic() - self._began_at_s
        # The broker also fences a producer whose transaction it let time out.
        if is_fenced and not (self._is_open and age_s >= TRANSACTION_TIMEOUT_MS / 1000):
            self._fencing.count()
        is_news = self._is_ready or is_fenced
        level = logging.WARNING if is_news else logging.INFO
        self._tell(f"a new producer takes over from one that cannot go on: {cause.str()}", level)
        self._producer.purge()
        self._is_open = self._is_ready = False
        self._producer = self._make()

    def close(self) -> None:
        """Abort what is open, where the broker answers at once: else its time-out does, or the next start."""
        if self._is_open:
            try:
                ended_within(CLOSE_S, lambda: self._producer.abort_transaction(CLOSE_S), late_s=0.0)
            except KafkaException as error:
                self._tell(f"the open transaction was not aborted: {error.args[0].str()}")
