"""The loop, turn by turn, without a broker."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import REGISTRY

from consumer.dead_letter_watch import DeadLetterWatch
from consumer.loop import Batching, Loop
from consumer.topic_watch import Changes
from interceptor.delivery import Record
from interceptor.outcome import DeadLetter, Skipped


@pytest.fixture
def loop() -> Loop:
    nothing: Any = SimpleNamespace(on_commit=None, is_waiting=False)
    source: Any = SimpleNamespace(
        is_member=False, is_cut_off=lambda: False, is_renewed=False, resume=list, end=lambda _: 10
    )
    source.renew = lambda: setattr(source, "is_renewed", True)
    source.position = lambda _: None
    source.committed = lambda partitions, within_s: dict.fromkeys(partitions, 3)
    nothing.commits_offsets = False
    nothing.watch = None
    return Loop(
        source,
        nothing,
        nothing,
        nothing,
        nothing,
        nothing,
        Batching(),
        DeadLetterWatch("dead", 3, lambda: 0.0),
    )


def test_a_member_without_partitions_is_ready(loop: Loop) -> None:
    loop._measure()
    assert not loop.is_member
    loop._source.is_member = True
    loop._measure_at_s = 0.0
    loop._measure()
    assert loop.is_member
    assert loop.partitions == []


def test_whoever_is_assigned_something_is_ready_at_once(loop: Loop) -> None:
    loop._assigned([])
    assert loop.is_member


def test_a_client_that_does_not_find_its_way_back_gives_way_to_another(loop: Loop) -> None:
    loop._results = SimpleNamespace(assigned=lambda: None, is_waiting=False)  # type: ignore[assignment]
    loop._topics = SimpleNamespace(are_there=True, watch=None)  # type: ignore[assignment]
    loop._assigned([("metrics", 0)])
    loop._measure()
    assert not loop._source.is_renewed
    loop._source.is_cut_off = lambda: True
    loop._measure_at_s = 0.0
    loop._measure()
    assert loop._source.is_renewed
    assert loop.partitions == []


def test_of_a_topic_that_is_paused_nothing_more_is_published(loop: Loop) -> None:
    published: list[int] = []
    loop._results = SimpleNamespace(  # type: ignore[assignment]
        knows_partitions=lambda _: True,
        publish=lambda delivery: published.append(delivery.record.offset),
        count=lambda: None,
    )
    loop._publisher.start = lambda: True  # type: ignore[method-assign]
    loop._lanes.assign([("bad", 0), ("good", 0)])
    loop._lanes.add(Record("bad", 0, offset, 0, None, b"", []) for offset in range(10))
    loop._lanes.add(Record("good", 0, offset, 0, None, b"", []) for offset in range(100, 110))
    for lane in loop._lanes:
        for delivery in lane.unpublished:
            is_bad = delivery.record.topic == "bad"
            delivery.outcome = DeadLetter("no event", kind="not_an_event") if is_bad else Skipped("none")
            delivery.is_done = True
    loop._publish()
    loop._publish()
    assert published == [0, 1, 2, *range(100, 110)]
    assert list(loop.paused) == ["bad"]
    bad, good = loop._lanes
    assert (len(bad.published), len(bad.unpublished)) == (3, 7)  # three are committed, seven stay in Kafka
    assert (len(good.published), len(good.unpublished)) == (10, 0)


class Watch:
    """Tells changes once."""

    def __init__(self, created_again: list[str], resized: list[str]) -> None:
        self._changes = [Changes(created_again, resized)]
        self.ends = {("metrics", 0): 4005}

    def look(self, now_s: float, assigned: list[Any]) -> Changes:
        return self._changes.pop() if self._changes else Changes([], [])


def lag(partition: int) -> float | None:
    return REGISTRY.get_sample_value("fncast_consumer_lag", {"topic": "metrics", "partition": str(partition)})


def test_the_lag_is_the_end_minus_the_committed_offset(loop: Loop) -> None:
    loop._topics.watch = Watch([], [])  # type: ignore[assignment]
    loop._lanes.assign([("metrics", 0), ("metrics", 1), ("metrics", 2)])
    loop._lanes.add(Record("metrics", 0, offset, 0, None, b"", []) for offset in range(5, 9))
    loop._source.position = lambda partition: 9 if partition[1] < 2 else None  # type: ignore[method-assign]
    loop._measure()
    assert lag(0) == 4000  # read up to 9, nothing of it committed
    assert lag(1) == 1  # all that was read is committed
    assert lag(2) == 7  # nothing was read: what the group has committed


def test_without_a_committed_offset_there_is_no_lag_to_tell(loop: Loop) -> None:
    loop._source.committed = lambda partitions, within_s: dict.fromkeys(partitions, -1001)  # type: ignore[method-assign]
    loop._lanes.assign([("metrics", 7)])
    loop._measure()
    assert lag(7) is None


@pytest.mark.parametrize(
    ("created_again", "resized", "begun", "asked"),
    [
        (["metrics"], [], [("metrics", 0), ("metrics", 1)], 1),
        (["forecasts"], [], [], 1),
        ([], ["forecasts"], [], 1),
        ([], [], [], 0),
    ],
)
def test_a_topic_that_was_created_again_is_read_from_its_beginning(
    loop: Loop,
    caplog: pytest.LogCaptureFixture,
    created_again: list[str],
    resized: list[str],
    begun: list[Any],
    asked: int,
) -> None:
    loop._inputs = frozenset({"metrics", "other"})
    loop._topics.watch = Watch(created_again, resized)  # type: ignore[assignment]
    loop._lanes.assign([("metrics", 0), ("metrics", 1), ("other", 0)])
    calls: list[Any] = []
    loop._source.begin_again = lambda partitions: calls.extend(partitions)  # type: ignore[method-assign]
    times: list[int] = []
    loop._results = SimpleNamespace(assigned=lambda: times.append(1))  # type: ignore[assignment]
    loop._watch()
    loop._watch()
    assert calls == begun
    assert len(times) == asked  # how many partitions there are is asked again
    assert len([line for line in caplog.messages if "deleted and created again" in line]) == bool(begun)


def test_all_of_a_topic_created_again_waits_until_it_is_read(loop: Loop) -> None:
    loop._inputs = frozenset({"metrics"})
    loop._topics.watch = Watch(["metrics"], [])  # type: ignore[assignment]
    loop._lanes.assign([("metrics", 0)])
    [lane] = loop._lanes
    lane.start = 100_000  # in the topic that is gone
    loop._source.position = lambda partition: None  # type: ignore[method-assign]
    loop._source.begin_again = lambda partitions: None  # type: ignore[method-assign]
    loop._results = SimpleNamespace(assigned=lambda: None)  # type: ignore[assignment]
    loop._watch()
    loop._measure_lag()
    assert lag(0) == 4005


def test_while_calls_are_under_way_as_many_full_batches_are_read(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def start(parts: Any) -> None:
        loop._batches[Future()] = parts
        sizes.append(sum(len(deliveries) for _, deliveries in parts))

    monkeypatch.setattr(loop, "_start", start)
    loop._batching = Batching(events=10, in_flight=2)
    loop._lanes.assign([("metrics", 0)])
    loop._lanes.add(Record("metrics", 0, offset, 0, None, b"", []) for offset in range(45))
    loop._waiting_since_s = 0.0
    loop._submit()
    assert sizes == [10, 10, 10, 10]
    loop._batches.popitem()
    loop._submit()
    assert len(sizes) == 4  # what fills no batch waits for a call to end, and for more
    loop._batches.popitem()
    loop._batches.popitem()
    loop._submit()
    assert sizes[4:] == [5]
