"""Dead letters that somebody else wrote, or whose topic is gone."""

from __future__ import annotations

import json
import random
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumer.errors import ConsumerError
from consumer.kafka import dead_letters
from consumer.kafka.dead_letter_replay import Replay
from consumer.kafka.dead_letters import Filter, StoredDeadLetter, UnknownTopic
from fncast.cli.output.dead_letters import json_line, line, not_replayed
from interceptor import dead_letter
from interceptor.delivery import Delivery, Record, UnreadableRecord
from interceptor.outcome import DeadLetter as Refusal
from interceptor.outcome import Headers

sys.path.append(str(Path(__file__).parents[2] / "fuzz"))

import fuzz_dead_letters


def letter(*headers: tuple[str, bytes | None], timestamp_ms: int = 0, offset: int = 0) -> StoredDeadLetter:
    return StoredDeadLetter(Record("dead", 0, offset, timestamp_ms, b"k", b"v", list(headers)))


def written(topic: str, offset: int, sent_headers: Headers) -> Record:
    """A letter as the consumer writes it."""
    original = Delivery(Record(topic, 0, 7, 0, b"k", b"v", sent_headers))
    return Record("dead", 0, offset, 0, b"k", b"v", dead_letter.headers(original, Refusal("bad")))


@pytest.mark.parametrize("digits", [b"9" * 5000, b"-1", b"1e3", b"many", "٣".encode(), b"\x1b[2J"])
def test_attempts_that_are_not_a_number_are_shown_as_text(digits: bytes) -> None:
    shown = letter(("fncast-attempts", digits))
    assert isinstance(shown.attempts, str)
    assert len(shown.attempts) <= 64
    assert f"{shown.attempts} attempts" in line(shown)
    assert json.loads(json_line(shown))["attempts"] == shown.attempts


def test_attempts_are_a_number_where_the_header_is_one() -> None:
    assert letter(("fncast-attempts", b"12")).attempts == 12
    assert letter().attempts == 0


@pytest.mark.parametrize("partition", [b"9" * 5000, b"-1", b"x"])
def test_an_invalid_partition_is_chosen_by_the_key(partition: bytes) -> None:
    assert letter(("fncast-partition", partition)).partition is None


@pytest.mark.parametrize("timestamp_ms", [-1, 2**62, -(2**62)])
def test_an_invalid_time_is_not_shown(timestamp_ms: int) -> None:
    shown = letter(timestamp_ms=timestamp_ms)
    assert shown.refused_at is None
    assert "  -  " in line(shown)
    assert shown not in Filter(since=datetime(2000, 1, 1, tzinfo=UTC))


@given(st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=60)
def test_any_letter_is_shown_as_clean_text_and_replayed_or_named(randomly: random.Random) -> None:
    pairs = [fuzz_dead_letters.foreign_letter(randomly, offset) for offset in range(5)]
    for record, original in pairs:
        fuzz_dead_letters.check_shown(StoredDeadLetter(record), original)
    fuzz_dead_letters.check_replay([record for record, _ in pairs])


class Letters:
    topic = "dead"

    def __init__(self, *records: Record) -> None:
        self.records = records
        self.queries: list[str] = []

    def committed(self) -> dict[int, int]:
        return {}

    def metadata(self) -> None: ...

    def partitions(self, topic: str) -> list[int]:
        self.queries.append(topic)
        if topic != "metrics":
            raise UnknownTopic(f"there is no topic {topic!r}")
        return [0]

    def read(self, start: Any) -> Any:
        yield from map(StoredDeadLetter, self.records)


class Publisher:
    def __init__(self) -> None:
        self.published: list[Any] = []
        self.offsets: Any = None

    def ready(self) -> bool:
        return True

    def publish(self, *record: Any) -> None:
        self.published.append(record)

    def commit(self, offsets: Any, _: Any) -> None:
        self.offsets = offsets


def test_a_letter_whose_topic_is_gone_is_named_and_the_others_are_replayed() -> None:
    sent_headers: Headers = [("ce_id", b"1"), ("knativeerrordata", b"mine"), ("fncast-offset", b"5")]
    letters = Letters(
        *(written(topic, n, sent_headers) for n, topic in enumerate(("metrics", "gone", "gone", "metrics")))
    )
    publisher = Publisher()
    replay = Replay(letters, publisher, Filter(), "metrics")  # type: ignore[arg-type]
    assert replay.run() == 2
    assert [record[4] for record in publisher.published] == [sent_headers, sent_headers]
    assert publisher.offsets == {("dead", 0): 4}
    assert replay.left == 2
    assert letters.queries.count("gone") == 1
    text = not_replayed(replay)
    assert text.startswith("2 dead letters were not replayed: 0/1: there is no topic 'gone'; 0/2: there is")
    assert "--place PARTITION/OFFSET" in text


def test_a_letter_whose_headers_cannot_be_read_is_named() -> None:
    letters = Letters(UnreadableRecord("dead", 0, 3, 0, b"k", b"v", []))
    replay = Replay(letters, Publisher(), Filter(), "metrics")  # type: ignore[arg-type]
    assert replay.run() == 0
    assert "0/3: its topic cannot be read" in not_replayed(replay)


def test_of_many_letters_the_first_are_named_and_the_rest_counted() -> None:
    letters = Letters(*(written(f"gone-{n}", n, []) for n in range(100)))
    replay = Replay(letters, Publisher(), Filter(), "metrics")  # type: ignore[arg-type]
    replay.run()
    text = not_replayed(replay)
    assert text.startswith("100 dead letters were not replayed")
    assert "and 80 more" in text
    assert len(text) < 2000


def test_one_letter_alone_is_meant_by_its_place() -> None:
    only = Filter(place="0/3")
    assert letter(offset=3) in only
    assert letter(offset=4) not in only
    assert only.name() != Filter().name() == "all"
    assert Filter("r", "d").name("2h") == Filter("r", "d", place="").name("2h")


def test_an_unreachable_broker_is_named_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "ANSWER_S", 0.3)
    letters = dead_letters.DeadLetterTopic({"bootstrap.servers": "127.0.0.1:1"}, "dead", "g")
    with pytest.raises(
        ConsumerError,
        match=r"no Kafka answers at 127\.0\.0\.1:1: the broker 127\.0\.0\.1:1 cannot be reached: connection refused",
    ):
        letters.partitions()
    letters.close()
