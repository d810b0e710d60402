"""Replays: which letters are published again, which are left, and what is reported."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.errors import (
    AccessDenied,
    ConsumerError,
    NotPublished,
    OutcomeUnknown,
    RecordRejected,
    RecordTooLarge,
)
from consumer.kafka.dead_letters.filter import DeadLetterFilter
from consumer.kafka.dead_letters.replay import MAX_FAILURES, Replay
from fncast.cli.output.dead_letters import not_replayed
from interceptor.delivery import Record, UnreadableRecord
from interceptor.outcome import Headers
from tests.consumer.kafka.dead_letters.letters import FakeLetters, FakePublisher, written


def test_a_letter_whose_topic_is_gone_is_named_and_the_others_are_replayed() -> None:
    sent_headers: Headers = [("ce_id", b"1"), ("knativeerrordata", b"mine"), ("fncast-offset", b"5")]
    letters = FakeLetters(
        *(written(topic, n, sent_headers) for n, topic in enumerate(("metrics", "gone", "gone", "metrics")))
    )
    publisher = FakePublisher()
    replay = Replay(letters, publisher, DeadLetterFilter(), "metrics")  # type: ignore[arg-type]
    assert replay.run() == 2
    assert [record[4] for record in publisher.committed] == [sent_headers, sent_headers]
    assert publisher.offsets == {("dead", 0): 4}
    assert replay.unreplayed == 2
    assert letters.queries.count("gone") == 1
    text = not_replayed(replay)
    assert text.startswith("2 dead letters were not replayed: 0/1: there is no topic 'gone'; 0/2: there is")
    assert "--place PARTITION/OFFSET" in text


def test_a_letter_whose_headers_cannot_be_read_is_named() -> None:
    letters = FakeLetters(UnreadableRecord("dead", 0, 3, 0, b"k", b"v", []))
    replay = Replay(letters, FakePublisher(), DeadLetterFilter(), "metrics")  # type: ignore[arg-type]
    assert replay.run() == 0
    assert "0/3: its topic cannot be read" in not_replayed(replay)


def test_the_first_of_many_letters_are_named_and_the_others_counted() -> None:
    letters = FakeLetters(*(written(f"gone-{n}", n, []) for n in range(100)))
    replay = Replay(letters, FakePublisher(), DeadLetterFilter(), "metrics")  # type: ignore[arg-type]
    replay.run()
    text = not_replayed(replay)
    assert text.startswith("100 dead letters were not replayed")
    assert "and 80 more" in text
    assert len(text) < 2000


@pytest.mark.guarantee("a replay with an unknown outcome is reported")
@pytest.mark.parametrize(
    ("end", "says"),
    [
        (
            OutcomeUnknown("gone"),
            "is not known whether the last letters were replayed. Start the replay again: gone",
        ),
        (NotPublished("no"), "were not replayed"),
    ],
)
def test_a_failed_commit_is_an_error(end: Exception, says: str) -> None:
    letters: Any = FakeLetters(Record("dead", 0, 0, 0, b"k", b"v", []))
    publisher: Any = FakePublisher(end)
    with pytest.raises(ConsumerError, match=says):
        Replay(letters, publisher, DeadLetterFilter(), "metrics").run()
    # With an unknown outcome, the next replay's start settles how the transaction ended.
    assert publisher.starts == (1 if isinstance(end, OutcomeUnknown) else MAX_FAILURES)


def test_a_letter_whose_headers_cannot_be_read_stays() -> None:
    letters: Any = FakeLetters(UnreadableRecord("dead", 0, 0, 0, b"k", b"v", []))
    publisher: Any = FakePublisher()
    assert Replay(letters, publisher, DeadLetterFilter(), "metrics").run() == 0
    assert publisher.published == []


def letters_of(*keys: bytes, topic: bytes = b"metrics") -> Any:
    added = [("fncast-reason", b"no"), ("fncast-topic", topic)]
    return FakeLetters(*(Record("dead", 0, at, 0, key, b"v", added) for at, key in enumerate(keys)))


@pytest.mark.parametrize("error", [RecordRejected("no key"), RecordTooLarge("too large")])
def test_a_letter_that_its_topic_rejects_is_named_and_the_others_are_replayed(error: Exception) -> None:
    publisher: Any = FakePublisher(rejected={b"b": error, b"d": error})
    replay = Replay(letters_of(b"a", b"b", b"c", b"d", b"e"), publisher, DeadLetterFilter(), "metrics")
    assert replay.run() == 3
    assert [record[2] for record in publisher.committed] == [b"a", b"c", b"e"]
    assert publisher.offsets == {("dead", 0): 5}
    assert (replay.unreplayed, replay.unreplayed_reasons) == (2, [f"0/1: {error}", f"0/3: {error}"])


def test_a_preview_names_the_letters_that_would_be_left() -> None:
    letters: Any = letters_of(b"a", b"b")
    letters.records += (UnreadableRecord("dead", 0, 2, 0, b"c", b"v", []),)
    publisher: Any = FakePublisher()
    publisher.fits = lambda topic, key, value, headers: key != b"b"
    found = list(Replay(letters, publisher, DeadLetterFilter(), "metrics").preview())
    assert [letter.place for letter, _ in found] == ["0/0", "0/1", "0/2"]
    assert found[0][1] == ""
    assert found[1][1] == "it is larger than the topic 'metrics' allows"
    assert found[2][1].startswith("its topic cannot be read")
    assert publisher.published == []


def test_the_letters_of_a_topic_that_this_login_may_not_use_are_named_and_the_others_are_replayed() -> None:
    letters: Any = letters_of(b"a", b"b")
    letters.records += letters_of(b"c", topic=b"secret").records
    publisher: Any = FakePublisher()

    def commit(*arguments: Any) -> None:
        if any(record[0] == "secret" for record in publisher.published):
            raise AccessDenied("the broker does not let this login use 'secret'", frozenset({"secret"}))
        FakePublisher.commit(publisher, *arguments)

    publisher.commit = commit
    replay = Replay(letters, publisher, DeadLetterFilter(), "metrics")
    assert replay.run() == 2
    assert replay.unreplayed_reasons == ["0/0: the broker does not let this login use 'secret'"]


@pytest.mark.parametrize("internal", ["__consumer_offsets", "__transaction_state"])
def test_a_letter_that_names_a_topic_of_kafka_itself_is_named_and_the_others_are_replayed(
    internal: str,
) -> None:
    letters: Any = FakeLetters(written("metrics", 0, []), written(internal, 1, []), written("metrics", 2, []))
    publisher: Any = FakePublisher()
    replay = Replay(letters, publisher, DeadLetterFilter(), "metrics")
    assert replay.run() == 2
    assert {record[0] for record in publisher.committed} == {"metrics"}
    assert replay.unreplayed_reasons == [f"0/1: Kafka alone writes to the topic {internal!r}"]


def test_access_that_no_letter_needs_ends_the_replay() -> None:
    publisher: Any = FakePublisher(AccessDenied("the broker does not let this login use the group"))
    with pytest.raises(AccessDenied):
        Replay(letters_of(b"a"), publisher, DeadLetterFilter(), "metrics").run()
