"""The publisher of the delivery guarantee `at-least-once`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NoReturn

from confluent_kafka import KafkaError

from consumer.errors import ConsumerError, NotPublished
from consumer.kafka.base_producer import CUT_OFF, FLUSH_STEP_S, GONE, Producing
from consumer.kafka.connection import answers
from consumer.kafka.rejected_records import FAILED_WITH_BATCH
from consumer.lane import Partition

# Results are seen at once, a crash repeats those of this span. Nothing is published during a commit, so a shorter
# span is seen in the delay.
COMMIT_S = 0.5
# A broker that is there acknowledges within milliseconds. An idempotent producer whose answers a restart of the broker
# had cut off was seen that sent nothing any more (confluent-kafka 2.16, once in some sixty restarts).
STUCK_S = 30.0
CLOSE_TIMEOUT_S = 1.0


class AtLeastOnce(Producing):
    """Idempotent, so in order and without repeats of its own; a crash before the commit repeats what it published."""

    commits_offsets = False
    commit_interval_s = COMMIT_S
    settle_s = 0.0

    def __init__(self, client_properties: Mapping[str, str], partitioner: str) -> None:
        # An outage of the broker is waited out: messages do not time out.
        super().__init__(client_properties, partitioner, {"message.timeout.ms": 0})

    def start(self) -> bool:
        if not len(self._producer) and self._is_cut_off():
            self._producer = self._make()
        return True

    def finish(self, offsets: Mapping[Partition, int], group_metadata: Any) -> None:
        least, fewer_at_s = len(self._producer), time.monotonic()
        while left := self._producer.flush(FLUSH_STEP_S):
            if self._failure is not None:
                break
            self._check_patience("the broker has not acknowledged the results")
            if left < least:
                least, fewer_at_s = left, time.monotonic()
            elif self._is_cut_off():
                self._renew(CUT_OFF)
            elif time.monotonic() - fewer_at_s >= STUCK_S:
                if answers(self._producer):
                    self._renew(f"it got nothing acknowledged for {STUCK_S:g} s")
                fewer_at_s = time.monotonic()
        failure, self._failure = self._failure, None
        if failure is None:
            self._refusals.forget_suspects()
            return
        if failure.code() in FAILED_WITH_BATCH:
            self._failed_topics.clear()
            raise NotPublished(failure.str())
        if failure.code() in GONE:
            self._renew(failure.str())
        raise self._denial(failure) or ConsumerError(f"publishing to Kafka failed: {failure.str()}")

    def _refused(self, cause: KafkaError, topic: str) -> None:
        if cause.code() in GONE:
            self._renew(cause.str())
        super()._refused(cause, topic)

    def _renew(self, cause: str) -> NoReturn:
        """What the old producer had may be there already; it is published again."""
        self._producer.purge()
        self._producer = self._make()
        raise NotPublished(f"a new client takes over from Kafka's: {cause}")

    def abort(self) -> None:
        """What is published stays; its ids let a reader drop the repeats."""

    def close(self) -> None:
        self._producer.purge()
        self._producer.flush(CLOSE_TIMEOUT_S)
