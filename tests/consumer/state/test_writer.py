"""State records: with their outcome in one transaction, or after the commit of their offset."""

from __future__ import annotations

import pytest

from consumer.errors import ConsumerError, RecordRejected, RecordTooLarge
from consumer.state.keys import full_key
from consumer.state.snapshot import PlacedRecord
from consumer.state.writer import StateWriter
from interceptor.delivery import Delivery, Record, StateRecord

PARTITION = ("telegraf", 5)


class Publisher:
    def __init__(self, commits_offsets: bool) -> None:
        self.commits_offsets = commits_offsets
        self.records: list[tuple] = []
        self.error: RecordRejected | None = None

    def publish(self, topic, partition, key, value, headers):
        if self.error is not None:
            raise self.error
        self.records.append((topic, partition, key, value))


def delivery(*state: StateRecord, offset: int = 0) -> Delivery:
    created = Delivery(Record(*PARTITION, offset, 0, None, b"", []))
    created.state += state
    return created


def records(*names: str) -> list[StateRecord]:
    return [StateRecord(name.encode(), b"v", "assemble") for name in names]


def names(publisher: Publisher) -> str:
    return "".join(key.decode()[-1] for _, _, key, _ in publisher.records)


@pytest.fixture
def exact():
    """A writer, and its publisher with transactions."""
    return writer_of(Publisher(True))


@pytest.fixture
def at_least():
    """A writer, and its publisher without transactions."""
    return writer_of(Publisher(False))


def writer_of(publisher: Publisher) -> tuple[StateWriter, Publisher]:
    writer = StateWriter(publisher, "state", "group")
    writer.restored(PARTITION, 1)
    return writer, publisher


def test_in_a_transaction_state_goes_with_its_outcome(exact):
    writer, publisher = exact
    writer.publish_with(delivery(*records("a"), PlacedRecord(b"other", None, "fncast", 7)))
    assert publisher.records == [
        ("state", 1, full_key("group", PARTITION, "assemble", b"a"), b"v"),
        ("state", 7, b"other", None),
    ]
    writer.committed([delivery(*records("a"))])
    writer.publish_committed()
    assert len(publisher.records) == 2
    assert not writer.has_unacknowledged


def test_without_transactions_state_follows_the_commit_of_its_offset(at_least):
    writer, publisher = at_least
    created = delivery(*records("a"))
    writer.publish_with(created)
    writer.publish_committed()
    assert publisher.records == []
    writer.committed([created])
    writer.publish_committed()
    assert names(publisher) == "a"
    assert writer.has_unacknowledged
    writer.begin_commit()
    writer.acknowledged()
    assert not writer.has_unacknowledged


def test_state_that_only_moves_is_stored_before_the_next_offset(at_least):
    writer, publisher = at_least
    created = delivery(*records("a"), PlacedRecord(b"m", b"1", "fncast", 7))
    writer.publish_with(created)
    writer.committed([created])
    writer.publish_committed()
    assert names(publisher) == "ma"


def test_state_is_published_again_until_the_broker_has_it(at_least):
    writer, publisher = at_least
    writer.committed([delivery(*records("a", "b"))])
    writer.publish_committed()
    writer.begin_commit()
    writer.committed([delivery(*records("c"))])
    writer.undone()
    writer.publish_committed()
    assert names(publisher) == "ababc"
    writer.begin_commit()
    writer.acknowledged()
    assert not writer.has_unacknowledged


def test_state_that_a_commit_does_not_cover_stays(at_least):
    writer, publisher = at_least
    writer.committed([delivery(*records("a"))])
    writer.publish_committed()
    writer.begin_commit()
    writer.committed([delivery(*records("b"))])
    writer.publish_committed()
    writer.acknowledged()
    writer.undone()
    writer.publish_committed()
    assert names(publisher) == "abb"


def test_state_of_a_partition_that_is_gone_is_left_to_its_next_owner(at_least):
    writer, publisher = at_least
    writer.restored(("telegraf", 6), 2)
    other = delivery(*records("b"))
    other.record.partition = 6
    writer.committed([delivery(*records("a")), other])
    writer.dropped([PARTITION])
    writer.publish_committed()
    assert names(publisher) == "b"


def test_state_that_does_not_fit_stops_the_consumer(exact):
    writer, publisher = exact
    publisher.error = RecordTooLarge("larger than the broker allows")
    with pytest.raises(
        ConsumerError, match=r"state of telegraf/5 cannot be written to 'state': larger .*max.mes"
    ):
        writer.publish_with(delivery(*records("a")))


def test_state_that_is_rejected_for_another_reason_is_not_blamed_on_its_size(exact):
    writer, publisher = exact
    publisher.error = RecordRejected("the broker rejects the record for 'state': against a policy")
    with pytest.raises(ConsumerError, match=r"cannot be written to 'state': the broker .* against a policy$"):
        writer.publish_with(delivery(*records("a")))
