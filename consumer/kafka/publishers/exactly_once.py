"""The publisher for `delivery = "exactly-once"`: Kafka's transactions (KIP-98, KIP-447).

Each commit is one transaction: begin, produce, send the offsets with the group's metadata, commit. An abortable error
aborts the transaction, and the loop publishes again from memory. After any other error, and after a commit without an
answer, a new producer takes over (`transactional_producer.py`). The group's committed offsets then show whether the
transaction was committed (`commits.py`).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError

from consumer.kafka.errors import map_kafka_errors
from consumer.kafka.publishers.base_producer import CUT_OFF
from consumer.kafka.publishers.transactional_producer import TransactionalProducer
from consumer.kafka.source.offset_commits import topic_partitions
from consumer.lanes.lane import Partition
from fncast.wording.kafka import describe

COMMIT_S = 0.015  # readers of committed records see a result after about this time
# The broker rejects a transaction's first request while it writes the markers of the last transaction. A short wait is
# quicker than the client's retry.
SETTLE_S = 0.004
CALL_S = 8.0  # for one call to the broker; the transaction times out soon after
CLOSE_S = 0.5


class ExactlyOnce(TransactionalProducer):
    """Commits outputs, dead letters and offsets in one transaction. Fences older producers of the same identity.

    token: identifies the last commit's offsets in the group.
    """

    commits_offsets = True
    commit_interval_s = COMMIT_S
    settle_s = SETTLE_S
    token = ""

    def ready(self) -> bool:
        if not self._is_open and self._is_cut_off():
            self._replace_producer(KafkaError(KafkaError._TRANSPORT, CUT_OFF))
        if not self._is_ready:
            self._is_ready = self._try_to_initialize()
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
        with map_kafka_errors(self._commit_error):
            self._worker.run(
                lambda: producer.send_offsets_to_transaction(positions, group_metadata, CALL_S), CALL_S
            )
            self._worker.run(lambda: producer.commit_transaction(CALL_S), CALL_S)
        self._is_open = False
        self._logged.clear()
        self._rejected.clear_isolated()

    def abort(self) -> None:
        if self._is_open:
            self._try_to_abort()

    def close(self) -> None:
        """Abort the open transaction if the broker answers at once. Otherwise its timeout or the next start ends it."""
        if self._is_open and (error := self._abort_within(CLOSE_S)):
            self._log_once(f"the open transaction was not aborted: {describe(error)}")
        self._worker.close()
