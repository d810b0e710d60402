"""The publisher for `delivery = "exactly-once"`: Kafka's transactions (KIP-98, KIP-447).

Each commit is one transaction: begin, produce, send the offsets with the group's metadata, commit. An abortable error
aborts the transaction, and the loop publishes again from memory. After any other error, and after a commit without an
answer, a new producer with the same transactional.id takes over. Its `init_transactions` fences the old producer and
returns once the broker has ended the old transaction. The group's committed offsets then show whether the transaction
was committed (`commits.py`).
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping
from typing import Any, NoReturn

from confluent_kafka import KafkaError, KafkaException

from consumer.errors import ConsumerError, NotPublished, OutcomeUnknown
from consumer.kafka.authorization import authorization_error
from consumer.kafka.base_producer import CUT_OFF, GONE, BaseProducer
from consumer.kafka.fencing import FENCED, Fencing
from consumer.kafka.offset_commits import topic_partitions
from consumer.kafka.timeouts import Worker
from consumer.lane import Partition
from fncast.wording.kafka import describe

COMMIT_S = 0.015  # readers of committed records see a result after about this time
# The broker rejects a transaction's first request while it writes the markers of the last transaction. A short wait is
# quicker than the client's retry.
SETTLE_S = 0.004
TRANSACTION_TIMEOUT_MS = 10_000  # the longest that a killed producer's open transaction delays readers
INIT_STEP_S = 0.5  # librdkafka continues in the background; the loop polls in between
CALL_S = 8.0  # for one call to the broker; the transaction times out soon after
ABORT_S = 2.0  # the loop waits for an abort; a new producer's start aborts as well
CLOSE_S = 0.5
WARN_AFTER_S = 3.0


class ExactlyOnce(BaseProducer):
    """Commits outputs, dead letters and offsets in one transaction. Fences older producers of the same identity."""

    commits_offsets = True
    commit_interval_s = COMMIT_S
    settle_s = SETTLE_S

    def __init__(self, client_properties: Mapping[str, str], partitioner: str, transactional_id: str) -> None:
        self._is_ready = self._is_open = False
        self.token = ""
        self._began_at_s = 0.0
        self._waiting_since_s: float | None = None
        self._fencing = Fencing(transactional_id)
        self._worker = Worker("transaction")
        transaction = {"transactional.id": transactional_id, "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS}
        super().__init__(client_properties, partitioner, transaction)

    def ready(self) -> bool:
        if not self._is_open and self._is_cut_off():
            self._replace_producer(KafkaError(KafkaError._TRANSPORT, CUT_OFF))
        if not self._is_ready:
            self._is_ready = self._has_initialized()
        return self._is_ready

    def publish(self, *record: Any) -> None:
        if not self._is_open:
            self._begin()
        super().publish(*record)

    def commit(self, offsets: Mapping[Partition, int], group_metadata: Any) -> None:
        if not self._is_open:
            self._begin()  # skipped records have offsets and no output
        self.token = uuid.uuid4().hex
        producer, positions = self._producer, topic_partitions(offsets, self.token)
        try:
            self._worker.run(
                lambda: producer.send_offsets_to_transaction(positions, group_metadata, CALL_S), CALL_S
            )
            self._worker.run(lambda: producer.commit_transaction(CALL_S), CALL_S)
        except KafkaException as error:
            self._recover(error.args[0])
        self._is_open = False
        self._logged.clear()
        self._rejected.clear_isolated()

    def abort(self) -> None:
        if self._is_open:
            self._has_aborted()

    def close(self) -> None:
        """Abort the open transaction if the broker answers at once. Otherwise its timeout or the next start ends it."""
        if self._is_open and (error := self._abort_error(CLOSE_S)):
            self._log_once(f"the open transaction was not aborted: {describe(error)}")
        self._worker.close()

    # The steps of a transaction, and what follows when one fails.

    def _has_initialized(self) -> bool:
        try:
            self._producer.init_transactions(INIT_STEP_S)
        except KafkaException as error:
            cause = error.args[0]
            if cause.code() in (*FENCED, KafkaError._CONFLICT):
                self._replace_producer(cause)
            elif not cause.retriable():
                raise ConsumerError(
                    f"the broker does not support exactly-once delivery: {describe(cause)};"
                    ' set delivery = "at-least-once" in [kafka] where repeats are acceptable'
                ) from None
            self._waiting_since_s = self._waiting_since_s or time.monotonic()
            if time.monotonic() - self._waiting_since_s >= WARN_AFTER_S:
                self._log_once("waiting until the broker accepts transactions")
            return False
        self._waiting_since_s = None
        self._logged.clear()
        return True

    def _begin(self) -> None:
        try:
            self._producer.begin_transaction()
        except KafkaException as error:
            self._replace_producer(error.args[0])
            raise NotPublished(describe(error.args[0])) from None
        self._is_open, self._began_at_s = True, time.monotonic()

    def _on_refused(self, cause: KafkaError, topic: str) -> NoReturn:
        """The transaction has failed, or the topic is gone."""
        reason = describe(self._failure or cause)
        self.abort()
        if cause.code() in GONE and self._is_ready:
            self._replace_producer(cause)  # the new client asks the broker for its topics
        raise (authorization_error(cause, [topic]) or NotPublished(reason)) from None

    def _recover(self, cause: KafkaError) -> NoReturn:
        if cause.txn_requires_abort():
            reason = describe(self._failure or cause)  # after a failed record, `cause` names no reason
            has_aborted = self._has_aborted()
            denied = self._authorization_error(cause)
            if denied or has_aborted:
                raise (denied or NotPublished(reason)) from None
        elif denied := self._authorization_error(cause):
            raise denied from None
        else:
            self._replace_producer(cause)
        raise OutcomeUnknown(describe(cause)) from None

    def _has_aborted(self) -> bool:
        """Abort the open transaction. False if the broker did not confirm it: then a new producer takes over."""
        if error := self._abort_error(ABORT_S):
            self._replace_producer(error)
            return False
        self._is_open, self._failure = False, None
        return True

    def _abort_error(self, timeout_s: float) -> KafkaError | None:
        producer = self._producer
        try:
            self._worker.run(lambda: producer.abort_transaction(timeout_s), timeout_s, late_s=0.0)
        except KafkaException as error:
            cause: KafkaError = error.args[0]
            return cause
        return None

    def _replace_producer(self, cause: KafkaError) -> None:
        """Create a new producer with the same identity; `ready` initializes it.

        Raises ConsumerError if two consumers fence each other again and again.
        """
        is_fenced = cause.code() in FENCED
        age_s = time.monotonic() - self._began_at_s
        # The broker also fences a producer whose transaction timed out.
        if is_fenced and not (self._is_open and age_s >= TRANSACTION_TIMEOUT_MS / 1000):
            self._fencing.count()
        level = logging.WARNING if self._is_ready or is_fenced else logging.INFO
        hint = f". {self._fencing.hint}" if is_fenced else ""
        self._log_once(f"replacing a producer that cannot continue: {describe(cause)}{hint}", level)
        self._producer.purge()
        self._is_open = self._is_ready = False
        self._producer = self._create_client()
