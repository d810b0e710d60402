"""Dead letters, a topic of them in memory, and a publisher for their replay."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from consumer.kafka.dead_letters.stored import StoredDeadLetter
from consumer.kafka.dead_letters.topic import UnknownTopic
from interceptor import dead_letter
from interceptor.delivery import Delivery, Record
from interceptor.outcome import DeadLetter, Headers


def letter(*headers: tuple[str, bytes | None], timestamp_ms: int = 0, offset: int = 0) -> StoredDeadLetter:
    """A letter with these headers, as any program may have written it."""
    return StoredDeadLetter(Record("dead", 0, offset, timestamp_ms, b"k", b"v", list(headers)))


def written(topic: str, offset: int, sent_headers: Headers, key: bytes = b"k") -> Record:
    """A letter of a record of this topic, as the consumer writes it."""
    original = Delivery(Record(topic, 0, 7, 0, key, b"v", sent_headers))
    return Record("dead", 0, offset, 0, key, b"v", dead_letter.headers(original, DeadLetter("bad")))


class FakeLetters:
    """The topic `dead` with these records. gone: topics that do not exist; the others have one partition."""

    topic = "dead"

    def __init__(self, *records: Record, gone: str = "gone") -> None:
        self.records = records
        self.gone = gone
        self.queries: list[str] = []

    def committed(self) -> dict[int, int]:
        return {}

    def metadata(self) -> None: ...

    def partitions_to_write(self, topic: str) -> int:
        self.queries.append(topic)
        if topic.startswith(self.gone):
            raise UnknownTopic(f"there is no topic {topic!r}")
        return 1

    def read(self, start: Any) -> Iterator[StoredDeadLetter]:
        yield from map(StoredDeadLetter, self.records)


class FakePublisher:
    """end: the error of each commit. rejected: by key, the error of records that the broker rejects."""

    def __init__(self, end: Exception | None = None, rejected: dict[bytes, Exception] | None = None) -> None:
        self.end = end
        self.rejected = rejected or {}
        self.published: list[Any] = []
        self.committed: list[Any] = []
        self.offsets: Any = None
        self.starts = 0

    def ready(self) -> bool:
        self.starts += 1
        return True

    def publish(self, *record: Any) -> None:
        if error := self.rejected.get(record[2]):
            raise error
        self.published.append(record)

    def commit(self, offsets: Any, *_: Any) -> None:
        if self.end:
            raise self.end
        self.committed += self.published
        self.published = []
        self.offsets = offsets

    def abort(self) -> None:
        self.published = []
