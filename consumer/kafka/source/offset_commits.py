"""Offset commits in progress: each has a future that a later poll completes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from consumer.errors import CommitFailed, ConsumerError
from consumer.lanes.lane import Partition
from fncast.wording.kafka import describe


class OffsetCommits:
    """Owned by `KafkaSource`, in the loop's thread. Kafka answers commits in order."""

    def __init__(self) -> None:
        self._futures: deque[Future[None]] = deque()

    def begin(self, client: Consumer, offsets: Mapping[Partition, int]) -> Future[None]:
        """Commit the next offsets to read. A later poll completes the future, perhaps with CommitFailed."""
        done: Future[None] = Future()
        try:
            client.commit(offsets=topic_partitions(offsets), asynchronous=True)
        except KafkaException as error:
            done.set_exception(commit_error(error.args[0]))
        else:
            self._futures.append(done)
        return done

    def answered(self, error: KafkaError | None, partitions: list[TopicPartition]) -> None:
        """Complete the oldest commit: the client's callback."""
        if not self._futures:
            return
        done = self._futures.popleft()
        error = error or next((p.error for p in partitions if p.error is not None), None)
        if error is None:
            done.set_result(None)
        else:
            done.set_exception(commit_error(error))

    def fail_all(self, reason: str) -> None:
        """Fail the commits in progress with CommitFailed."""
        failed, self._futures = self._futures, deque()
        for commit in failed:
            commit.set_exception(CommitFailed(reason))


def commit_error(cause: KafkaError) -> Exception:
    """The error of a failed commit: CommitFailed to try later, or ConsumerError if access is denied."""
    if cause.code() in (KafkaError.GROUP_AUTHORIZATION_FAILED, KafkaError.TOPIC_AUTHORIZATION_FAILED):
        return ConsumerError(f"the broker does not let fncast commit offsets: {describe(cause)}")
    return CommitFailed(describe(cause))


def topic_partitions(offsets: Mapping[Partition, int], token: str = "") -> list[TopicPartition]:
    """Return the offsets in the driver's form. token: stored with the offsets."""
    return [TopicPartition(topic, partition, offset, token) for (topic, partition), offset in offsets.items()]
