"""State records: with their outcome in one transaction, or after the commit of their offset."""

from __future__ import annotations

import pytest

from consumer.errors import ConsumerError, RecordTooLarge
from consumer.state.keys import full_key
from consumer.state.snapshot import PlacedRecord
from consumer.state.writer import StateWriter
from interceptor.delivery import Delivery, Record, StateRecord

PARTITION = ("telegraf", 5)


class Publisher:
    def __init__(self, commits_offsets: bool) -> None:
        self.commits_offsets = commits_offsets
        self.records: list[tuple] = []
        self.refuses = False

    def publish(self, topic, partition, key, value, headers):
        if self.refuses:
            raise RecordTooLarge("larger than the broker allows")
        self.records.append((topic, partition, key, value))


def delivery(*state: StateRecord, offset: int = 0) -> Delivery:
    made = Delivery(Record(*PARTITION, offset, 0, None, b"", []))
    made.state += state
    return made


def records(*names: str) -> list[StateRecord]:
    return [StateRecord(name.encode(), b"v", "assemble") for name in names]


def names(publisher: Publisher) -> str:
    return "".join(key.decode()[-1] for _, _, key, _ in publisher.records)


@pytest.fixture
def exact():
    writer = StateWriter(Publisher(True), "state", "group")
    writer.restored(PARTITION, 1)
    return writer


@pytest.fixture
def at_least():
    writer = StateWriter(Publisher(False), "state", "group")
    writer.restored(PARTITION, 1)
    return writer


def test_in_a_transaction_state_goes_with_its_outcome(exact):
    exact.publish_with(delivery(*records("a"), PlacedRecord(b"other", None, "fncast", 7)))
    assert exact._publisher.records == [
        ("state", 1, full_key("group", PARTITION, "assemble", b"a"), b"v"),
        ("state", 7, b"other", None),
    ]
    exact.committed([delivery(*records("a"))])
    exact.publish_committed()
    assert len(exact._publisher.records) == 2
    assert not exact.has_unacknowledged


def test_without_transactions_state_follows_the_commit_of_its_offset(at_least):
    made = delivery(*records("a"))
    at_least.publish_with(made)
    at_least.publish_committed()
    assert at_least._publisher.records == []
    at_least.committed([made])
    at_least.publish_committed()
    assert names(at_least._publisher) == "a"
    assert at_least.has_unacknowledged
    at_least.begin_commit()
    at_least.acknowledged()
    assert not at_least.has_unacknowledged


def test_state_that_only_moves_is_stored_before_the_next_offset(at_least):
    made = delivery(*records("a"), PlacedRecord(b"m", b"1", "fncast", 7))
    at_least.publish_with(made)
    at_least.committed([made])
    at_least.publish_committed()
    assert names(at_least._publisher) == "ma"


def test_state_is_published_again_until_the_broker_has_it(at_least):
    at_least.committed([delivery(*records("a", "b"))])
    at_least.publish_committed()
    at_least.begin_commit()
    at_least.committed([delivery(*records("c"))])
    at_least.undone()
    at_least.publish_committed()
    assert names(at_least._publisher) == "ababc"
    at_least.begin_commit()
    at_least.acknowledged()
    assert not at_least.has_unacknowledged


def test_state_that_a_commit_does_not_cover_stays(at_least):
    at_least.committed([delivery(*records("a"))])
    at_least.publish_committed()
    at_least.begin_commit()
    at_least.committed([delivery(*records("b"))])
    at_least.publish_committed()
    at_least.acknowledged()
    at_least.undone()
    at_least.publish_committed()
    assert names(at_least._publisher) == "abb"


def test_state_of_a_partition_that_is_gone_is_left_to_its_next_owner(at_least):
    at_least.restored(("telegraf", 6), 2)
    other = delivery(*records("b"))
    other.record.partition = 6
    at_least.committed([delivery(*records("a")), other])
    at_least.dropped([PARTITION])
    at_least.publish_committed()
    assert names(at_least._publisher) == "b"


def test_state_that_does_not_fit_stops_the_consumer(exact):
    exact._publisher.refuses = True
    with pytest.raises(
        ConsumerError, match=r"state of telegraf/5 cannot be written to 'state': larger .*max.mes"
    ):
        exact.publish_with(delivery(*records("a")))
