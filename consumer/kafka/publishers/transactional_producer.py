"""A producer of Kafka's transactions (KIP-98, KIP-447) that a new producer replaces when it cannot continue.

The new producer has the same transactional.id. Its `init_transactions` fences the old producer and returns once the
broker has ended the old transaction.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import NoReturn

from confluent_kafka import KafkaError, KafkaException

from consumer.errors import ConsumerError, NotPublished, OutcomeUnknown
from consumer.kafka.authorization import authorization_error
from consumer.kafka.publishers.base_producer import GONE, BaseProducer
from consumer.kafka.publishers.fencing import FENCED, Fencing
from consumer.kafka.timeouts import CallWorker
from fncast.wording.kafka import describe

TRANSACTION_TIMEOUT_MS = 10_000  # the longest that a killed producer's open transaction delays readers
INIT_STEP_S = 0.5  # librdkafka continues in the background; the loop polls in between
ABORT_S = 2.0  # the loop waits no longer for an abort; then a new producer ends the transaction
WARN_AFTER_S = 3.0
# A commit sends what waits, and readers see nothing earlier. If a record waits for longer than this while a request of
# its partition is on its way, a thread of librdkafka spins until the answer arrives (docs/decisions/079).
LINGER_MS = 20


class TransactionalProducer(BaseProducer):
    """Begins and aborts transactions, and chooses what follows an error: an abort or a new producer.

    Used by the thread of the loop and, while a commit runs, by the thread of the commit alone.
    """

    def __init__(self, client_properties: Mapping[str, str], partitioner: str, transactional_id: str) -> None:
        self._is_ready = self._is_open = False
        self._began_at_s = 0.0
        self._waiting_since_s: float | None = None
        self._transactional_id = transactional_id
        self._fencing = Fencing(transactional_id)
        self._worker = CallWorker("transaction")
        transaction = {
            "transactional.id": transactional_id,
            "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
            "linger.ms": LINGER_MS,
        }
        super().__init__(client_properties, partitioner, transaction)

    def _try_to_initialize(self) -> bool:
        """Fence older producers and end their transaction. False if the broker is not ready. Raises ConsumerError."""
        try:
            self._producer.init_transactions(INIT_STEP_S)
        except KafkaException as error:
            cause = error.args[0]
            if cause.code() in (*FENCED, KafkaError._CONFLICT):
                self._replace_producer(cause)
            elif denied := authorization_error(cause, [self._transactional_id]):
                raise denied from None
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
        """Begin a transaction. Raises NotPublished."""
        try:
            self._producer.begin_transaction()
        except KafkaException as error:
            self._replace_producer(error.args[0])
            raise NotPublished(describe(error.args[0])) from None
        self._is_open, self._began_at_s = True, time.monotonic()

    def _try_to_abort(self) -> bool:
        """Abort the open transaction. False if the broker did not confirm it: then a new producer takes over."""
        if error := self._abort_within(ABORT_S):
            self._replace_producer(error)
            return False
        self._is_open, self._failure = False, None
        return True

    def _abort_within(self, timeout_s: float) -> KafkaError | None:
        """Abort the open transaction. Returns the error, None if the broker confirmed it."""
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

    def _on_rejected(self, cause: KafkaError, topic: str) -> NoReturn:
        """The transaction has failed, or the topic is gone."""
        reason = describe(self._failure or cause)
        if self._is_open:
            self._try_to_abort()
        if cause.code() in GONE and self._is_ready:
            self._replace_producer(cause)  # the new client asks the broker for its topics
        raise (authorization_error(cause, [topic]) or NotPublished(reason)) from None

    def _commit_error(self, cause: KafkaError) -> Exception:
        """Abort the transaction, or replace the producer. Returns the error of the failed commit."""
        reason = describe(self._failure or cause)  # after a failed record, `cause` names no reason
        requires_abort = cause.txn_requires_abort()
        has_aborted = requires_abort and self._try_to_abort()
        if denied := self._authorization_error(cause):
            return denied
        if has_aborted:
            return NotPublished(reason)
        if not requires_abort:
            self._replace_producer(cause)
        return OutcomeUnknown(describe(cause))
