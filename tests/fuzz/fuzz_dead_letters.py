"""Wrong dead letters: each is listed and shown as clean text, and replayed or reported."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from typing import Any, cast

from foreign_records import foreign_record
from fuzz_report import Report, Until

from consumer.kafka.dead_letters.filter import DeadLetterFilter
from consumer.kafka.dead_letters.replay import Replay
from consumer.kafka.dead_letters.stored import StoredDeadLetter
from consumer.kafka.dead_letters.topic import UnknownTopic, is_topic_name
from fncast.cli.output.dead_letters import json_document, json_line, line
from interceptor import dead_letter
from interceptor.delivery import Delivery, Record, UnreadableRecord
from interceptor.outcome import DeadLetter as Rejection
from interceptor.outcome import Headers

LETTERS = 20  # for each replay
MAX_LINE = 1500  # characters
TOPICS = {"metrics": 3, "other": 1}

_VALUES = (
    None, b"", b"0", b"1", b"-5", b"2", b"9" * 5000, "\u0663".encode(), b"1e3", b"metrics", b"other", b"gone",
    b"x" * 10_000, b".", b"..", b"a b", b"m\x00x", b"\xff", b"\x1b[2J\x1b[31mEVIL\x1b[0m\r\n2026-01-01 forged",
    b"\x9b31m", "\u202ex".encode(),
)  # fmt: skip


def foreign_letter(randomly: random.Random, offset: int) -> tuple[Record, Record | None]:
    """Return a dead letter, and its original record; None if the dead letter is changed or unreadable."""
    original = foreign_record(randomly, randomly.randrange(100))
    if isinstance(original, UnreadableRecord):
        return UnreadableRecord("dead-letters", 0, offset, 0, b"k", b"v", []), None
    topic = randomly.choice(("metrics", "metrics", "other", "gone"))
    original = Record(topic, 0, original.offset, 0, original.key, original.value, original.headers)
    reason = randomly.choice(("data is not valid JSON", "\x1b[2J\r\nforged", "x" * 5000, ""))
    headers = dead_letter.headers(Delivery(original), Rejection(reason, randomly.choice((None, 422)), 3))
    is_changed = randomly.random() < 0.8
    if is_changed:
        for _ in range(randomly.randint(1, 4)):
            _edit(randomly, headers)
    timestamp_ms = randomly.choice((0, -1, 1_767_225_600_000, 2**62, -(2**62)))
    letter = Record("dead-letters", 0, offset, timestamp_ms, original.key, original.value, headers)
    return letter, None if is_changed else original


def _edit(randomly: random.Random, headers: Headers) -> None:
    at = randomly.randrange(len(headers) + 1)
    pair = randomly.choice(dead_letter.ADDED_HEADERS), randomly.choice(_VALUES)
    kind = randomly.randrange(4)
    if kind == 0:
        headers[at : at + 1] = []
    elif kind == 1:
        headers.insert(at, pair)
    elif kind == 2 and at < len(headers):
        headers[at] = headers[at][0], pair[1]
    else:
        del headers[at:]


class _Topic:
    """The topic of dead letters, without Kafka."""

    topic = "dead-letters"

    def __init__(self, letters: list[Record]) -> None:
        self._letters = letters

    def committed(self) -> Mapping[int, int]:
        return {}

    def metadata(self) -> None: ...

    def partitions_to_write(self, topic: str) -> int:
        if topic not in TOPICS or not is_topic_name(topic):
            raise UnknownTopic(f"there is no topic {topic[:10]!r}")
        return TOPICS[topic]

    def read(self, start: Mapping[int, int]) -> Iterator[StoredDeadLetter]:
        yield from map(StoredDeadLetter, self._letters)


def run(randomly: random.Random, until: Until) -> Report:
    """Check dead letters of all kinds, some of them exactly as the consumer writes them."""
    report = Report()
    while not until(report.count):
        pairs = [foreign_letter(randomly, offset) for offset in range(LETTERS)]
        for letter, original in pairs:
            try:
                report.passed(check_shown(StoredDeadLetter(letter), original))
            except Exception as error:
                report.crashed(error, letter)
        try:
            check_replay([letter for letter, _ in pairs])
        except Exception as error:
            report.crashed(error, [letter for letter, _ in pairs])
    return report


def check_shown(letter: StoredDeadLetter, original: Record | None) -> str:
    """Check that a dead letter is listed and shown as clean, bounded text. Raises AssertionError."""
    listed = line(letter)
    assert listed.isprintable()
    assert len(listed) <= MAX_LINE
    document = json_line(letter)
    assert document.isprintable()
    assert json.loads(document)["place"] == letter.place
    whole = json_document(letter)
    assert whole.replace("\n", "").isprintable()
    assert len(json.loads(whole)["headers"]) == len(letter.record.headers)
    assert letter not in DeadLetterFilter(reason="unknown reason", destination="nowhere")
    if original is None:
        return "changed"
    assert letter.headers == original.headers
    assert letter.topic == original.topic
    assert (letter.attempts, letter.partition) == (3, 0)
    return "as it was written"


class _Publisher:
    """Records what is published."""

    def __init__(self) -> None:
        self.published: list[tuple[Any, ...]] = []

    def ready(self) -> bool:
        return True

    def publish(self, *record: Any) -> None:
        self.published.append(record)

    def commit(self, *_: Any) -> None: ...


def check_replay(letters: list[Record]) -> None:
    """Check that each dead letter is published once, or reported. Raises AssertionError."""
    publisher = _Publisher()
    replay = Replay(cast(Any, _Topic(letters)), cast(Any, publisher), DeadLetterFilter(), "metrics")
    replayed, published = replay.run(), publisher.published
    assert replayed == len(published)
    assert replayed + replay.unreplayed == len(letters)
    assert len(replay.unreplayed_reasons) == replay.unreplayed
    assert all(reason.isprintable() and len(reason) < 500 for reason in replay.unreplayed_reasons)
    for topic, partition, _, _, headers in published:
        assert topic in TOPICS
        assert -1 <= partition < TOPICS[topic]
        assert isinstance(headers, list)
