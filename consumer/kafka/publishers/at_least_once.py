"""The publisher for `delivery = "at-least-once"`: an idempotent producer without transactions."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NoReturn

from confluent_kafka import KafkaError

from consumer.errors import ConsumerError, NotPublished
from consumer.kafka.connection import answers
from consumer.kafka.publishers.base_producer import CUT_OFF, FLUSH_STEP_S, GONE, BaseProducer
from consumer.kafka.publishers.rejected_records import FAILED_WITH_BATCH
from consumer.lanes.lane import Partition
from fncast.wording.kafka import describe

# Readers see results at once; a crash repeats the results of this span. Nothing is published during a commit, so a
# shorter span increases the delay.
COMMIT_S = 0.5
# A working broker acknowledges within milliseconds. After a broker's restart, an idempotent producer of confluent-kafka
# 2.16 can stop sending for good.
STUCK_S = 30.0
CLOSE_TIMEOUT_S = 1.0


class AtLeastOnce(BaseProducer):
    """Keeps order and repeats nothing while it runs. A crash before a commit repeats the results since the last one."""

    commits_offsets = False
    commit_interval_s = COMMIT_S
    settle_s = 0.0
    token = ""

    def __init__(self, client_properties: Mapping[str, str], partitioner: str) -> None:
        # Records wait as long as an outage of the broker lasts.
        super().__init__(client_properties, partitioner, {"message.timeout.ms": 0})

    def ready(self) -> bool:
        if not len(self._producer) and self._is_cut_off():
            self._producer = self._create_client()
        return True

    def commit(self, offsets: Mapping[Partition, int], group_metadata: Any) -> None:
        self._wait_for_acknowledgements()
        failure, self._failure = self._failure, None
        if failure is None:
            self._rejected.clear_isolated()
            return
        if failure.code() in FAILED_WITH_BATCH:
            self._failed_topics.clear()
            raise NotPublished(describe(failure))
        if failure.code() in GONE:
            self._replace_producer(describe(failure))
        raise self._authorization_error(failure) or ConsumerError(
            f"publishing to Kafka failed: {describe(failure)}"
        )

    def _wait_for_acknowledgements(self) -> None:
        """Return once the broker has acknowledged all records, or one of them has failed.

        Raises NotPublished after it has replaced a producer that is stuck; GaveUp.
        """
        fewest, progress_at_s = len(self._producer), time.monotonic()
        while (left := self._flush(FLUSH_STEP_S)) and self._failure is None:
            self._check_stop("the broker has not acknowledged the results")
            if left < fewest:
                fewest, progress_at_s = left, time.monotonic()
                continue
            if self._is_cut_off():
                self._replace_producer(CUT_OFF)
            if time.monotonic() - progress_at_s >= STUCK_S:
                if answers(self._producer):
                    self._replace_producer(f"the broker acknowledged nothing for {STUCK_S:g} s")
                progress_at_s = time.monotonic()

    def _on_rejected(self, cause: KafkaError, topic: str) -> NoReturn:
        if cause.code() in GONE:
            self._replace_producer(describe(cause))
        super()._on_rejected(cause, topic)

    def _replace_producer(self, cause: str) -> NoReturn:
        """Replace the producer. Its records are published again, although the broker may have stored some."""
        self._producer.purge()
        self._producer = self._create_client()
        raise NotPublished(f"a new producer takes over: {cause}")

    def abort(self) -> None:
        """Published records cannot be undone; readers drop repeats by their ids."""

    def close(self) -> None:
        self._producer.purge()
        self._flush(CLOSE_TIMEOUT_S)
