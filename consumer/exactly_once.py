"""The publisher of the delivery guarantee `exactly-once`: Kafka's transactions (KIP-98, KIP-447).

librdkafka sorts a transaction's errors by what to do next: call the same again (retriable), abort, or, where it says
neither, the producer is of no more use and a new one of the same identity takes its place, which aborts what the old
one left open (and see `leftovers.py`). That happens to whoever was fenced, and to everybody whose transaction the
broker let time out.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any, NoReturn

from confluent_kafka import KafkaError, KafkaException

from consumer.call import LATE_S, ended_within, in_a_thread
from consumer.denial import denial
from consumer.errors import ConsumerError, GaveUp, NotPublished, OutcomeUnknown
from consumer.lane import Partition
from consumer.leftovers import Leftovers
from consumer.publisher import CUT_OFF, Producing
from consumer.transaction import Sent, Transaction
from interceptor.outcome import Headers

# Readers of committed records see results after about this. A commit takes 6 ms and costs the broker; at 50 ms the
# median delay was 48 ms and p99 95, at 15 ms 30 and 72.
COMMIT_S = 0.015
# The broker still writes the markers of one transaction, and refuses the first request of the next until it has;
# librdkafka tries it again after 20 ms. Nothing is lost by waiting: the next commit is not due sooner. In turns with
# publishing at once, 15 ms between commits: p50 of a commit 10.1 → 5.6 ms, p90 38 → 25.
SETTLE_S = 0.004
TRANSACTION_TIMEOUT_MS = 10_000  # what a killed producer left open holds readers up for no longer
STEP_S = 0.5  # one look whether transactions can begin; librdkafka goes on by itself meanwhile
# One try of a call whose time-out is also its requests': a shorter one asks a slow broker again and again, and what
# it answers late may then count for the next transaction. With what it may be late, a call that never ends (see
# `call.py`) costs no more than the transaction would have had. A stop does not wait for it.
CALL_S = TRANSACTION_TIMEOUT_MS / 1000 - LATE_S
TOLD_AFTER_S = 3.0  # a wait that is shorter is nobody's concern
GIVEN_UP_S = 15.0  # the broker has timed the transaction out by then
ENDING_S = 60.0  # what is left open is ended within this, or by another producer
UNTOLD = "the broker has not told all partitions that the transaction is committed"
ABORT_S = 5.0  # by then a new producer is faster: its start aborts what is open
CLOSE_TIMEOUT_S = 1.0
# By a newer producer of the same identity, or since the broker let a transaction time out: that costs one producer.
# So many in so short a time are two consumers with one identity.
_FENCED = (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH)
MAX_RENEWALS = 4
RENEWALS_WITHIN_S = 60.0


class ExactlyOnce(Producing):
    """Outputs, dead letters and offsets in one transaction; an older instance of the same identity is fenced."""

    commits_offsets = True
    commit_interval_s = COMMIT_S

    def __init__(
        self,
        client_properties: Mapping[str, str],
        partitioner: str,
        transactional_id: str,
        leftovers: Leftovers | None = None,
    ) -> None:
        self._id = transactional_id
        self._leftovers = leftovers
        self._ending: Future[None] | None = None
        self._ending_until_s = 0.0
        self._has_taken_over = self._is_ready = False
        self._is_open = False
        # Of the transaction that is open, where they have to be known afterwards.
        self._records: list[Sent] = []
        self._is_noted = False
        self._began_at_s = 0.0
        self._doubtful: Transaction | None = None
        self._tries = 0
        self._renewing_since_s = float("inf")  # without having been ready
        self._renewed_at_s: deque[float] = deque(maxlen=MAX_RENEWALS)
        own = {"transactional.id": transactional_id, "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS}
        super().__init__(client_properties, partitioner, own)

    @property
    def settle_s(self) -> float:
        return 0.0 if self._is_noted else SETTLE_S  # a noted one ends once its markers can be read

    def start(self) -> bool:
        if not self._is_open and self._ending is None and self._is_cut_off():
            self._renew(KafkaError(KafkaError._TRANSPORT, CUT_OFF))
        if self._is_ready:
            return True
        self._has_taken_over = self._has_taken_over or self._take_over()
        if not self._has_taken_over:
            return False
        if self._leftovers is not None and not self._ends_leftovers(self._leftovers):
            return False
        self._is_ready, self._tries = True, 0
        self._renewing_since_s = float("inf")
        self._told.clear()
        return True

    def _take_over(self) -> bool:
        """Whether transactions can begin now."""
        try:
            self._producer.init_transactions(STEP_S)
        except KafkaException as error:
            cause = error.args[0]
            if cause.retriable():
                self._tries += 1
                if self._tries * STEP_S >= TOLD_AFTER_S:
                    self._tell("waiting for the broker to take up transactions")
            elif cause.code() in (KafkaError._FENCED, KafkaError._CONFLICT):
                self._renew(cause)
            else:
                raise ConsumerError(
                    f"the broker does not give exactly-once: {cause.str()};"
                    ' set delivery = "at-least-once" in [kafka] where repeats are acceptable'
                ) from None
            return False
        return True

    def _ends_leftovers(self, leftovers: Leftovers) -> bool:
        """Whether nothing is left open any more; in a thread, for the loop polls meanwhile."""
        if self._ending is None:
            producer, doubtful = self._producer, self._doubtful
            self._ending = in_a_thread(lambda: leftovers.end(producer, doubtful))
            self._ending_until_s = time.monotonic() + ENDING_S
        try:
            self._ending.result(STEP_S)
        except TimeoutError:
            if time.monotonic() >= self._ending_until_s:
                self._renew(KafkaError(KafkaError._TIMED_OUT, "the client's call does not end"))
            return False
        except KafkaException as error:
            if denied := denial(error.args[0], leftovers.names(error.args[0])):
                raise denied from None
            self._renew(error.args[0])
            return False
        self._ending = self._doubtful = None
        return True

    def publish(
        self, topic: str, partition: int, key: bytes | None, value: bytes | None, headers: Headers
    ) -> None:
        if not self._is_open:
            self._begin()
        super().publish(topic, partition, key, value, headers)
        if self._is_noted:
            self._records.append(Sent(topic, partition, key, value, headers))

    def _refused(self, cause: KafkaError, topic: str) -> None:
        """The transaction has failed already, for an earlier record, say."""
        if denied := denial(cause, [topic]):
            raise denied from None
        self._undo(cause)

    def _begin(self) -> None:
        try:
            self._producer.begin_transaction()
        except KafkaException as error:
            self._undo(error.args[0])
        self._is_open = True
        self._began_at_s = time.time()
        self._records = []
        self._is_noted = self._leftovers is not None and self._leftovers.may_be_made

    def finish(self, offsets: Mapping[Partition, int], group_metadata: Any) -> None:
        if not self._is_open:
            self._begin()  # what was skipped has offsets and no output
        transaction = self._transaction(offsets)
        positions = transaction.positions()
        until_s = time.monotonic() + GIVEN_UP_S
        try:
            self._retrying(
                lambda: self._producer.send_offsets_to_transaction(positions, group_metadata, CALL_S), until_s
            )
        except KafkaException as error:
            self._undo(error.args[0])
        try:
            self._retrying(lambda: self._producer.commit_transaction(CALL_S), until_s)
        except KafkaException as error:
            cause = error.args[0]
            if cause.txn_requires_abort():
                self._undo(cause)
            self._doubt(transaction, cause)
        self._is_open = False
        transaction.is_committed = True
        if self._leftovers is not None and not self._leftovers.are_none(transaction, self._is_over):
            if self._is_over():
                raise GaveUp(
                    "stopped before the broker had told all partitions that a transaction is committed"
                )
            self._doubt(transaction, KafkaError(KafkaError._TIMED_OUT, UNTOLD))
        self._told.clear()
        self._refusals.forget_suspects()

    def _transaction(self, offsets: Mapping[Partition, int]) -> Transaction:
        if self._leftovers is None:
            return Transaction(self._records, dict(offsets))
        token = f"{self._id} {self._began_at_s}"
        return self._leftovers.transaction(self._records, offsets, token, self._began_at_s)

    def _doubt(self, transaction: Transaction, cause: KafkaError) -> NoReturn:
        """It may be committed, or not, or in part: whoever takes over finds out."""
        self._doubtful = transaction
        self._renew(cause)
        raise OutcomeUnknown(cause.str()) from None

    def _retrying(self, call: Callable[[], None], until_s: float = float("inf")) -> None:
        """Call until it went through: a call that timed out is taken up where it was. Raises KafkaException."""
        while True:
            try:
                ended_within(CALL_S, call)
                return
            except KafkaException as error:
                if not error.args[0].retriable() or time.monotonic() >= until_s:
                    raise
                self._tell(f"waiting for the broker to end a transaction: {error.args[0].str()}")
                self._check_patience(error.args[0].str())

    def _undo(self, cause: KafkaError) -> NoReturn:
        if cause.txn_requires_abort() or cause.code() == KafkaError._STATE:
            self.abort()
        elif denial(cause) is None:
            self._renew(cause)
        raise (self._denial(cause) or NotPublished(cause.str())) from None

    def abort(self) -> None:
        if not self._is_open:
            return
        try:
            self._retrying(lambda: self._producer.abort_transaction(ABORT_S), until_s=time.monotonic())
        except KafkaException as error:
            self._renew(error.args[0])
        self._is_open = False
        self._failure = None
        if self._leftovers is not None and self._leftovers.may_be_made:
            self._is_ready = False  # whether the partitions were told is seen at the next start

    def _renew(self, cause: KafkaError) -> None:
        """A new producer of the same identity; `start` makes it ready. Raises ConsumerError if that goes on."""
        now_s = time.monotonic()
        is_fenced = cause.code() in _FENCED
        if (
            is_fenced
            and len(self._renewed_at_s) == MAX_RENEWALS
            and now_s - self._renewed_at_s[0] < RENEWALS_WITHIN_S
        ):
            raise ConsumerError(
                f"transactions of {self._id!r} fail again and again: {cause.str()}."
                " If another consumer runs under this identity, give each its own [kafka] instance"
            )
        if is_fenced:
            self._renewed_at_s.append(now_s)
        is_warning = self._is_ready or is_fenced
        if not is_warning:
            # It has published nothing yet: topics that were just made have no leader for a moment.
            self._renewing_since_s = min(self._renewing_since_s, now_s)
            is_warning = now_s - self._renewing_since_s >= TOLD_AFTER_S
        sentence = f"a new producer takes over from one that cannot go on: {cause.str()}"
        self._tell(sentence, logging.WARNING if is_warning else logging.INFO)
        self._producer.purge()
        self._is_open = self._is_ready = self._has_taken_over = False
        self._ending = None
        self._producer = self._make()

    def close(self) -> None:
        if self._is_open:
            try:
                self._producer.abort_transaction(CLOSE_TIMEOUT_S)
            except KafkaException as error:  # the next start of this identity, or its time-out, aborts it
                self._tell(f"the open transaction was not aborted: {error.args[0].str()}")
