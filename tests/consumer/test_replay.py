"""Replays whose end is not what was hoped for."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.dead_letters import DeadLetter, Filter, Replay
from consumer.errors import ConsumerError, NotPublished, OutcomeUnknown
from interceptor.delivery import Record, UnreadableRecord


class Letters:
    topic = "dead"

    def __init__(self, *records: Record) -> None:
        self.records = records

    def committed(self) -> dict[int, int]:
        return {}

    def metadata(self) -> None: ...

    def partitions(self, topic: str) -> list[int]:
        return [0]

    def read(self, start: Any) -> Any:
        yield from map(DeadLetter, self.records)


class Publisher:
    def __init__(self, end: Exception | None = None) -> None:
        self.end = end
        self.published: list[Any] = []

    def start(self) -> bool:
        return True

    def publish(self, *record: Any) -> None:
        self.published.append(record)

    def finish(self, *_: Any) -> None:
        if self.end:
            raise self.end


@pytest.mark.parametrize(
    ("end", "says"),
    [
        (OutcomeUnknown("gone"), "is not known, start it again: gone"),
        (NotPublished("no"), "were not replayed"),
    ],
)
def test_an_end_that_went_wrong_is_told(end: Exception, says: str) -> None:
    letters: Any = Letters(Record("dead", 0, 0, 0, b"k", b"v", []))
    publisher: Any = Publisher(end)
    with pytest.raises(ConsumerError, match=says):
        Replay(letters, publisher, Filter(), "metrics").run()


def test_a_letter_whose_headers_cannot_be_read_stays() -> None:
    letters: Any = Letters(UnreadableRecord("dead", 0, 0, 0, b"k", b"v", []))
    publisher: Any = Publisher()
    assert Replay(letters, publisher, Filter(), "metrics").run() == 0
    assert publisher.published == []
