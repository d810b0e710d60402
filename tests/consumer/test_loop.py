"""The loop, turn by turn, without a broker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from consumer.batches import Batching
from consumer.dead_letter_watch import DeadLetterWatch
from consumer.kafka.topic_limits import Sizes
from consumer.loop import Loop


class Source:
    """on_poll: what happens in the next polls, one a poll; the last one stops the loop."""

    problem = ""
    is_member = False

    def __init__(self) -> None:
        self.on_poll: list[Callable[[], None]] = []

    def subscribe(self, topics: Any, on_assign: Callable[[list[Any]], None], *_: Any) -> None:
        self.on_assign = on_assign

    def poll(self, most: int, timeout_s: float) -> list[Any]:
        self.on_poll.pop(0)()
        return []

    def is_cut_off(self) -> bool:
        return False

    def is_at_end(self, partition: Any, last_offset: int) -> bool:
        return True

    def close(self) -> None: ...


class Others:
    """Publisher, results, topics, chain, event loop and states: they have nothing to do."""

    commits_offsets = has_unacknowledged = is_waiting = False
    watch = None
    problem = ""
    all_exist = True
    writer = property(lambda self: self)

    def prepare(self) -> Sizes:
        return Sizes(1, 1)

    def ready(self) -> bool:
        return True

    def keeps(self, topic: str) -> bool:
        return False

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_, **__: None


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def topics() -> Others:
    return Others()


@pytest.fixture
def loop(source: Any, topics: Any) -> Loop:
    others: Any = Others()
    watch = DeadLetterWatch("dead", 3, lambda: 0.0)
    return Loop(source, others, others, topics, others, others, Batching(), watch, others)


def test_before_it_joins_its_group_it_waits_for_the_broker(loop: Loop, topics: Others) -> None:
    assert loop.problem == "the broker does not accept transactions yet"
    topics.problem = "no Kafka answers at 127.0.0.1:9 (no broker can be reached)"
    assert loop.problem == topics.problem


def test_it_says_why_it_is_not_in_its_group(loop: Loop, source: Source) -> None:
    problems: list[str] = []

    def joins() -> None:
        problems.append(loop.problem)
        source.problem = "the topic 'metrics' does not exist"

    def is_assigned() -> None:
        problems.append(loop.problem)
        source.on_assign([])

    source.on_poll = [joins, is_assigned, lambda: problems.append(loop.problem), loop.stop]
    loop.run(["metrics"])
    assert problems == ["it has not joined its group yet", "the topic 'metrics' does not exist", ""]
    assert loop.is_member
