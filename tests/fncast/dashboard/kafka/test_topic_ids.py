"""Topics that were deleted and created again."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import pytest
from confluent_kafka import KafkaException

from fncast.dashboard.kafka import topic_ids
from fncast.dashboard.kafka.topic_ids import LOOK_S, TopicIds


@dataclass(frozen=True)
class Description:
    """The part of a TopicDescription that is read."""

    topic_id: str | None


class FakeAdmin:
    """Answers with `ids`; a topic without an id is an error."""

    def __init__(self) -> None:
        self.ids: dict[str, str | None] = {"t": "1", "missing": None}
        self.asked = 0
        self.is_silent = False

    def describe_topics(self, collection: Any, request_timeout: float) -> dict[str, Future[Any]]:
        self.asked += 1
        answers: dict[str, Future[Any]] = {topic: Future() for topic in self.ids}
        for topic, answer in answers.items():
            if self.is_silent:
                continue
            if self.ids[topic] is None:
                answer.set_exception(KafkaException())
            else:
                answer.set_result(Description(self.ids[topic]))
        return answers


def test_another_id_shows_that_a_topic_was_created_again(monkeypatch: pytest.MonkeyPatch) -> None:
    ids, admin = TopicIds({}), FakeAdmin()
    monkeypatch.setattr(topic_ids, "AdminClient", lambda properties, logger: admin)
    topics = ["t", "missing"]
    assert [ids.created_again(LOOK_S * look, topics) for look in range(3)] == [[], [], []]
    admin.ids = {"t": None, "missing": None}  # deleted
    assert [ids.created_again(LOOK_S * look, topics) for look in (3, 4)] == [[], []]
    admin.ids = {"t": "2", "missing": "3"}
    assert [ids.created_again(LOOK_S * look, topics) for look in (5, 6, 7)] == [[], ["t"], []]
    ids.forget("t")
    admin.ids = {"t": "4"}
    assert [ids.created_again(LOOK_S * look, topics) for look in (8, 9)] == [[], []]
    admin.is_silent = True
    asked = admin.asked
    assert [ids.created_again(LOOK_S * look, topics) for look in (10, 11, 12)] == [[], [], []]
    assert admin.asked == asked + 1
