"""The loop, turn by turn, without a broker."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from consumer.loop import Batching, Loop


@pytest.fixture
def loop() -> Loop:
    nothing: Any = SimpleNamespace(on_commit=None)
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
    loop._results = SimpleNamespace(assigned=lambda: None)  # type: ignore[assignment]
    loop._topics = SimpleNamespace(are_there=True)  # type: ignore[assignment]
    loop._assigned([("metrics", 0)])
    loop._measure()
    assert not loop._source.is_renewed
    loop._source.is_cut_off = lambda: True
    loop._measure_at_s = 0.0
    loop._measure()
    assert loop._source.is_renewed
    assert loop.partitions == []
