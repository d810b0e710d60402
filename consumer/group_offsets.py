"""What a broker tells of a group's offsets to somebody who is no member of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition

from consumer.askers import COMMITTED, UNCOMMITTED, Askers
from consumer.lane import Partition

ANSWER_S = 5.0
PENDING_S = 1.0  # offsets of transactions that go on are pending for less
RETRY_BACKOFF_MS = 5  # of a broker that says that offsets are pending; the default is 100

Known = Mapping[Partition, TopicPartition]


class GroupOffsets:
    """Asks by clients of its own. Kafka's admin client would tell more, but aborts the process where the group's
    coordinator is away (confluent-kafka 2.16)."""

    def __init__(self, properties: Mapping[str, str], group_id: str) -> None:
        self._askers = Askers({**properties, "retry.backoff.ms": RETRY_BACKOFF_MS}, group_id)
        self.group_id = group_id

    def metadata(self) -> Any:
        """The broker takes offsets in a transaction of somebody who is no member."""
        return self._askers[COMMITTED].consumer_group_metadata()

    def stable(self, partitions: Iterable[Partition]) -> Known | None:
        """None while some are pending, or nobody answers."""
        try:
            return self._told(COMMITTED, partitions, PENDING_S)
        except KafkaException:
            return None

    def known(self, partitions: Iterable[Partition]) -> Known:
        """As of before what is pending. Raises KafkaException where the group's coordinator does not answer."""
        try:
            return self._told(UNCOMMITTED, partitions, ANSWER_S)
        except KafkaException:
            # That this login may not use the group is told apart from the answer, which does not come.
            heard = self._askers[UNCOMMITTED].poll(0)
            error = heard.error() if heard is not None else None
            self._askers.renew()
            if error is not None and error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
                raise KafkaException(error) from None
            raise

    def are_pending(self, partitions: Iterable[Partition]) -> bool:
        """Raises KafkaException where the group's coordinator does not answer."""
        asked = list(partitions)
        if not asked or self.stable(asked) is not None:
            return False
        self.known(asked)
        return self.stable(asked) is None

    def _told(self, isolation: str, partitions: Iterable[Partition], within_s: float) -> Known:
        asked = [TopicPartition(*partition) for partition in partitions]
        told = self._askers[isolation].committed(asked, within_s)
        return {(place.topic, place.partition): place for place in told if place.error is None}
