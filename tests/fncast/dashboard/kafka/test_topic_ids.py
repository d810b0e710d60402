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


@pytest.fixture
def admin(monkeypatch: pytest.MonkeyPatch) -> FakeAdmin:
    """The Kafka client that TopicIds creates."""
    created = FakeAdmin()
    monkeypatch.setattr(topic_ids, "AdminClient", lambda properties, logger: created)
    return created


class Looks:
    """Looks at the topics again and again, as a reader does."""

    def __init__(self) -> None:
        self.ids = TopicIds({})
        self._now_s = 0.0

    def created_again(self, looks: int) -> list[list[str]]:
        """The topics that were created again, at each of the next looks."""
        found = []
        for _ in range(looks):
            found.append(self.ids.created_again(self._now_s, ["t", "missing"]))
            self._now_s += LOOK_S
        return found


def test_another_id_shows_that_a_topic_was_created_again(admin: FakeAdmin) -> None:
    looks = Looks()
    assert looks.created_again(3) == [[], [], []]
    admin.ids = {"t": None, "missing": None}  # deleted
    assert looks.created_again(2) == [[], []]
    admin.ids = {"t": "2", "missing": "3"}
    assert looks.created_again(3) == [[], ["t"], []]


def test_a_topic_that_was_forgotten_is_new_with_any_id(admin: FakeAdmin) -> None:
    looks = Looks()
    looks.created_again(2)
    looks.ids.forget("t")
    admin.ids = {"t": "4"}
    assert looks.created_again(3) == [[], [], []]


def test_a_broker_that_does_not_answer_is_not_asked_again(admin: FakeAdmin) -> None:
    looks = Looks()
    admin.is_silent = True
    assert looks.created_again(3) == [[], [], []]
    assert admin.asked == 1
