"""The loop, turn by turn, without a broker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import pytest

from consumer.dead_letter_watch import DeadLetterWatch
from consumer.kafka.topics.limits import Sizes
from consumer.kafka.topics.watch import Changes
from consumer.lanes.batches import Batching
from consumer.loop import SILENT_S, Loop
from consumer.loop_parts import LoopParts
from consumer.publishing.result_publisher import ResultPublisher
from consumer.state.partition_restore import PartitionRestore
from consumer.state.partition_states import PartitionStates
from consumer.state.restorer import Restorer
from consumer.state.writer import StateWriter
from interceptor.chain import Chain
from tests.consumer.commit_harness import FakePublisher


class FakeSource:
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


class FakeTopics:
    """Topics that are all there. problem: why no broker answers."""

    watch: Any = None
    problem = ""
    all_exist = True
    missing: frozenset[str] = frozenset()

    def prepare(self) -> Sizes:
        return Sizes(1, 1)


@pytest.fixture
def source() -> FakeSource:
    return FakeSource()


@pytest.fixture
def topics() -> FakeTopics:
    return FakeTopics()


@pytest.fixture
def loop(source: Any, topics: Any) -> Iterator[Loop]:
    """A loop whose publisher and chain have nothing to do: the source returns no records."""
    publisher: Any = FakePublisher(commits_offsets=False)
    event_loop = asyncio.new_event_loop()
    restorer = Restorer(PartitionRestore({}, event_loop, "state", "group"), open_reader=Mock())
    parts = LoopParts(
        source,
        publisher,
        topics,
        ResultPublisher(publisher, "forecasts", "dead"),
        DeadLetterWatch("dead", 3, lambda: 0.0),
        PartitionStates({}, event_loop, restorer, StateWriter(publisher, "state", "group")),
    )
    yield Loop(parts, Chain([]), event_loop, Batching())
    event_loop.close()


def test_before_it_joins_its_group_it_waits_for_the_broker(loop: Loop, topics: FakeTopics) -> None:
    assert loop.problem == "the broker does not accept transactions yet"
    topics.problem = "no Kafka answers at 127.0.0.1:9 (no broker can be reached)"
    assert loop.problem == topics.problem


def test_a_member_of_a_group_says_that_the_broker_is_silent(
    loop: Loop, source: FakeSource, topics: FakeTopics
) -> None:
    watch = Mock(look=Mock(return_value=Changes([], [])), ends={})
    problems: list[str] = []

    def is_silent_for(seconds: float) -> None:
        watch.silent_s = Mock(return_value=seconds)
        problems.append(loop.problem)

    topics.watch, source.is_member = watch, True
    source.on_poll = [
        lambda: source.on_assign([]),
        lambda: is_silent_for(SILENT_S - 0.1),
        lambda: is_silent_for(SILENT_S),
        lambda: is_silent_for(0),
        loop.stop,
    ]
    loop.run(["metrics"])
    assert problems == ["", "the broker has not answered for 3 s", ""]


def test_a_member_of_a_group_says_which_topic_is_missing(
    loop: Loop, source: FakeSource, topics: FakeTopics
) -> None:
    topics.recreate_outputs = Mock()  # type: ignore[attr-defined]
    problems: list[str] = []

    def is_missing(*names: str) -> None:
        topics.missing = frozenset(names)
        problems.append(loop.problem)

    source.is_member = True
    source.on_poll = [lambda: is_missing("forecasts"), is_missing, loop.stop]
    loop.run(["metrics"])
    assert problems == ["results wait for the missing topic forecasts", ""]


def test_it_says_why_it_is_not_in_its_group(loop: Loop, source: FakeSource) -> None:
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
