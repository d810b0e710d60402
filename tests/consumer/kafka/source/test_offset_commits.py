"""Offset commits: each future gets the answer of its commit."""

from __future__ import annotations

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from consumer.errors import CommitFailed, ConsumerError
from consumer.kafka.source.offset_commits import OffsetCommits

OFFSETS = {("metrics", 0): 7}


class Client:
    """A consumer. error: raised by the next commit."""

    def __init__(self, error: KafkaError | None = None) -> None:
        self.error = error
        self.commits: list[tuple[str, int, int]] = []

    def commit(self, offsets: list[TopicPartition], asynchronous: bool) -> None:
        if self.error is not None:
            raise KafkaException(self.error)
        self.commits += [(place.topic, place.partition, place.offset) for place in offsets]


@pytest.fixture
def commits() -> OffsetCommits:
    return OffsetCommits()


def test_answers_complete_the_commits_in_order(commits: OffsetCommits) -> None:
    client: Any = Client()
    first, second = commits.begin(client, OFFSETS), commits.begin(client, {("metrics", 0): 9})
    commits.answered(None, [])
    assert (first.result(0), second.done()) == (None, False)
    commits.answered(KafkaError(KafkaError.REBALANCE_IN_PROGRESS), [])
    with pytest.raises(CommitFailed):
        second.result(0)
    assert client.commits == [("metrics", 0, 7), ("metrics", 0, 9)]
    commits.answered(None, [])  # without a commit


def test_a_client_that_rejects_a_commit_fails_its_future(commits: OffsetCommits) -> None:
    client: Any = Client(KafkaError(KafkaError._STATE))
    with pytest.raises(CommitFailed):
        commits.begin(client, OFFSETS).result(0)


def test_denied_access_is_permanent(commits: OffsetCommits) -> None:
    client: Any = Client()
    commit = commits.begin(client, OFFSETS)
    commits.answered(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED), [])
    with pytest.raises(
        ConsumerError, match="does not let fncast commit offsets: access to the group is denied"
    ):
        commit.result(0)


def test_a_new_client_fails_the_commits_in_progress(commits: OffsetCommits) -> None:
    client: Any = Client()
    commit = commits.begin(client, OFFSETS)
    commits.fail_all("a new client has joined the group")
    with pytest.raises(CommitFailed, match="a new client has joined the group"):
        commit.result(0)
    commits.answered(None, [])  # the answer to the old client
