"""The loop, turn by turn, without a broker."""

from __future__ import annotations

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

from consumer.loop import Batching, Loop
from interceptor.delivery import Record


@pytest.fixture
def loop() -> Loop:
    nothing: Any = SimpleNamespace(on_commit=None, is_waiting=False)
    source: Any = SimpleNamespace(
        is_member=False, is_cut_off=lambda: False, is_renewed=False, resume=list, lag=lambda _: 0
    )
    source.renew = lambda: setattr(source, "is_renewed", True)
    nothing.commits_offsets = False
    return Loop(source, nothing, nothing, nothing, nothing, nothing, Batching())


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
    loop._topics = SimpleNamespace(are_there=True)  # type: ignore[assignment]
    loop._assigned([("metrics", 0)])
    loop._measure()
    assert not loop._source.is_renewed
    loop._source.is_cut_off = lambda: True
    loop._measure_at_s = 0.0
    loop._measure()
    assert loop._source.is_renewed
    assert loop.partitions == []


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
