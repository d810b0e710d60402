"""What the topic watch notices, with a fake admin client."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from consumer.kafka.topics.watch import LOOK_S, SILENT_S, Changes, TopicState, TopicWatch, changes

UNKNOWN = KafkaException(KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART))
NONE = Changes([], [])


@dataclass
class Offset:
    offset: int


@dataclass
class Description:
    topic_id: str
    partitions: list[None] = field(default_factory=list)


class Admin:
    def __init__(self) -> None:
        self.topics: dict[str, Any] = {}
        self.end = 40
        self.is_silent = False
        self.never_answers = False
        self.queries = 0

    def describe_topics(self, topics: Any, request_timeout: float) -> dict[str, Future[Any]]:
        self.queries += 1
        return {name: self._answer(self.topics.get(name, UNKNOWN)) for name in ("metrics", "forecasts")}

    def list_offsets(self, places: Any, request_timeout: float) -> dict[Any, Future[Any]]:
        return {place: self._answer(Offset(self.end)) for place in places}

    def _answer(self, value: Any) -> Future[Any]:
        answer: Future[Any] = Future()
        if self.never_answers:
            return answer
        if self.is_silent:
            answer.set_exception(KafkaException(KafkaError(KafkaError._TIMED_OUT)))
        elif isinstance(value, Exception):
            answer.set_exception(value)
        else:
            answer.set_result(value)
        return answer


def topic(id_: str, partitions: int = 4) -> Any:
    return Description(id_, [None] * partitions)


@pytest.fixture
def admin() -> Admin:
    admin = Admin()
    admin.topics = {"metrics": topic("A"), "forecasts": topic("F")}
    return admin


def watch_of(admin: Admin, renewed: list[int] | None = None) -> TopicWatch:
    return TopicWatch(lambda: admin, lambda: (renewed or []).append(1), ["metrics", "forecasts"])  # type: ignore


@pytest.mark.parametrize(
    ("known", "found", "expected"),
    [
        ({}, {"a": TopicState("1", 4)}, NONE),
        ({"a": TopicState("1", 4)}, {"a": TopicState("1", 4)}, NONE),
        ({"a": TopicState("1", 4)}, {}, NONE),
        ({"a": TopicState("1", 4)}, {"a": TopicState("2", 4)}, Changes(["a"], [])),
        ({"a": TopicState("1", 4)}, {"a": TopicState("1", 6)}, Changes([], ["a"])),
        ({"a": TopicState("1", 4)}, {"a": TopicState("2", 2)}, Changes(["a"], ["a"])),
    ],
)
def test_changes_are_new_partitions_and_topics_created_again(
    known: Any, found: Any, expected: Changes
) -> None:
    assert changes(known, found) == expected


def test_a_topic_created_again_is_noticed_once_also_after_a_while_without_it(admin: Admin) -> None:
    watch = watch_of(admin)
    times = iter(range(1, 100, int(2 * LOOK_S)))
    assert watch.look(next(times), []) == NONE  # sends a query
    assert watch.look(next(times), []) == NONE  # knows
    del admin.topics["metrics"]
    assert [watch.look(next(times), []) for _ in range(3)] == [NONE] * 3
    admin.topics["metrics"] = topic("B")
    assert [watch.look(next(times), []) for _ in range(4)] == [NONE, Changes(["metrics"], []), NONE, NONE]
    admin.topics["forecasts"] = topic("F", 6)
    assert [watch.look(next(times), []) for _ in range(3)] == [NONE, Changes([], ["forecasts"]), NONE]


def test_the_time_of_the_last_question_with_an_unchanged_answer_is_kept(admin: Admin) -> None:
    watch = watch_of(admin)
    watch.look(1, [])
    watch.look(3, [])
    assert watch.seen_at_s == {"metrics": 1, "forecasts": 1}
    admin.topics["metrics"] = topic("B")
    watch.look(5, [])  # its answers are from before
    assert watch.seen_at_s == {"metrics": 3, "forecasts": 3}
    assert watch.look(7, []).created_again == ["metrics"]
    assert watch.seen_at_s == {"metrics": 3, "forecasts": 5}


def test_the_broker_is_asked_once_per_interval(admin: Admin) -> None:
    watch = watch_of(admin)
    for tenth in range(10, 50):
        watch.look(tenth / 10, [])
    assert admin.queries == 4 / LOOK_S


def test_the_ends_of_assigned_partitions_are_kept(admin: Admin) -> None:
    watch = watch_of(admin)
    watch.look(1, [("metrics", 0), ("metrics", 1)])
    watch.look(3, [("metrics", 0), ("metrics", 1)])
    assert watch.ends == {("metrics", 0): 40, ("metrics", 1): 40}
    watch.look(5, [("metrics", 1)])
    assert watch.ends == {("metrics", 1): 40}


def test_pending_answers_are_not_waited_for(admin: Admin) -> None:
    watch = watch_of(admin)
    admin.never_answers = True
    assert [watch.look(second, [("metrics", 0)]) for second in range(1, 20)] == [NONE] * 19
    assert admin.queries == 1


def test_a_client_without_an_answer_for_long_is_replaced(admin: Admin) -> None:
    renewed: list[int] = []
    admin.is_silent = True
    watch = TopicWatch(lambda: admin, lambda: renewed.append(1), ["metrics"])  # type: ignore
    for second in range(1, int(SILENT_S)):
        watch.look(second, [])
    assert renewed == []
    for second in range(int(SILENT_S), int(2 * SILENT_S)):
        watch.look(second, [])
    assert renewed == [1]


def test_a_broker_that_owes_an_answer_is_silent_until_it_answers(admin: Admin) -> None:
    watch = watch_of(admin)
    watch.look(1, [("metrics", 0)])
    watch.look(3, [("metrics", 0)])
    assert watch.silent_s(9) == 0  # it has answered, also if nobody has looked since
    admin.never_answers = True
    watch.look(10, [("metrics", 0)])
    assert watch.silent_s(14) == 4
    watch.look(15, [("metrics", 0)])
    assert watch.silent_s(15) == 5
    admin.never_answers = False
    watch = watch_of(admin)
    watch.look(20, [])
    assert watch.silent_s(24) == 0


def test_a_request_that_the_client_gives_up_counts_as_no_answer(admin: Admin) -> None:
    watch = watch_of(admin)
    admin.is_silent = True
    for second in range(1, 8):
        watch.look(second, [("metrics", 0)])
    assert watch.silent_s(8) == 7
    admin.is_silent = False
    watch.look(10, [])
    assert watch.silent_s(11) == 0


@pytest.mark.parametrize("code", [KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNSUPPORTED_FEATURE])
def test_an_error_about_the_request_is_an_answer(admin: Admin, code: int) -> None:
    admin.topics["metrics"] = KafkaException(KafkaError(code))
    watch = watch_of(admin)
    watch.look(1, [])
    assert watch.silent_s(9) == 0
