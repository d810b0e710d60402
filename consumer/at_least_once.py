"""The publisher of the delivery guarantee `at-least-once`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError

from consumer.errors import ConsumerError, NotPublished
from consumer.lane import Partition
from consumer.publisher import Producing

# Results are seen at once, a crash repeats those of this span. Nothing is published during a commit, so a shorter
# span is seen in the delay.
COMMIT_S = 0.5
FLUSH_STEP_S = 0.5
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
        return True

    def finish(self, offsets: Mapping[Partition, int], group_metadata: Any) -> None:
        while self._producer.flush(FLUSH_STEP_S):
            if self._failure is not None:
                break
            self._check_patience("the broker has not acknowledged the results")
        failure, self._failure = self._failure, None
        if failure is None:
            return
        if failure.code() == KafkaError.MSG_SIZE_TOO_LARGE:
            self._learn()
            raise NotPublished(failure.str())
        raise ConsumerError(f"publishing to Kafka failed: {failure.str()}")

    def abort(self) -> None:
        """What is published stays; its ids let a reader drop the repeats."""

    def close(self) -> None:
        self._producer.purge()
        self._producer.flush(CLOSE_TIMEOUT_S)
