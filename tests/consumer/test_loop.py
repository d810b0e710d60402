"""The loop, turn by turn, without a broker."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from consumer.loop import Batching, Loop


@pytest.fixture
def loop() -> Loop:
    nothing: Any = SimpleNamespace(on_commit=None)
    return Loop(SimpleNamespace(is_member=False), nothing, nothing, nothing, nothing, nothing, Batching())


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
