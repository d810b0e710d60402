"""Rebalance: partitions that come and go, and a client that is replaced."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from consumer.lanes.lane import Partition
from consumer.lanes.lanes import Lanes
from consumer.rebalance import Rebalance
from tests.consumer.parts import parts

PARTITION = ("metrics", 0)


class FakeSource:
    def __init__(self) -> None:
        self.is_member = self.has_lost_connection = self.is_replaced = False
        self.resumed: list[Partition] = []

    def is_cut_off(self) -> bool:
        return self.has_lost_connection

    def replace_client(self) -> None:
        self.is_replaced = True

    def resume(self, partitions: list[Partition]) -> None:
        self.resumed += partitions


class Calls:
    """What the rebalance calls of its neighbours, in order: each method of a part adds its name."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def of(self, part: str, **attributes: Any) -> Any:
        """A stand-in for one part of the loop, for example "commits"."""
        fake = Mock(**attributes)
        for method in ("abandon", "assigned", "dropped", "finish", "forget_partitions", "prepare"):
            getattr(fake, method).side_effect = lambda *_, name=f"{part}.{method}", **__: self.names.append(
                name
            )
        return fake


class Group:
    def __init__(self) -> None:
        self.calls = Calls()
        self.source: Any = FakeSource()
        self.topics = self.calls.of("topics", all_exist=True)
        self.lanes = Lanes()
        self.rebalance = Rebalance(
            parts(
                source=self.source,
                topics=self.topics,
                results=self.calls.of("results"),
                states=self.calls.of("states"),
            ),
            self.lanes,
            self.calls.of("commits"),
            self.calls.of("drain"),
        )


@pytest.fixture
def group() -> Group:
    return Group()


@pytest.mark.guarantee("a member without partitions is ready")
def test_a_member_without_partitions_is_ready(group: Group) -> None:
    group.rebalance.check()
    assert not group.rebalance.is_member
    group.source.is_member = True
    group.rebalance.check()
    assert group.rebalance.is_member
    assert group.lanes.partitions == []


def test_an_assignment_makes_the_consumer_ready_at_once(group: Group) -> None:
    group.rebalance.assigned([])
    assert group.rebalance.is_member


def test_topics_are_prepared_again_if_they_were_missing(group: Group) -> None:
    group.topics.all_exist = False
    group.rebalance.assigned([PARTITION])
    assert group.calls.names == ["topics.prepare", "results.forget_partitions", "states.assigned"]


def test_a_revoked_partition_is_finished_and_then_abandoned(group: Group) -> None:
    group.rebalance.assigned([PARTITION])
    (lane,) = group.lanes
    lane.is_paused = True
    group.rebalance.revoked([PARTITION])
    assert group.calls.names[2:] == ["drain.finish", "commits.abandon", "states.dropped"]
    assert group.source.resumed == [PARTITION]
    assert lane.is_dropped


def test_a_client_that_has_lost_its_connection_is_replaced(group: Group) -> None:
    group.rebalance.assigned([PARTITION])
    group.rebalance.check()
    assert not group.source.is_replaced
    group.source.has_lost_connection = True
    group.rebalance.check()
    assert group.source.is_replaced
    assert group.lanes.partitions == []


def test_a_client_that_gets_no_partitions_after_they_were_lost_is_replaced(
    group: Group, monkeypatch: pytest.MonkeyPatch
) -> None:
    group.rebalance.assigned([PARTITION])
    group.rebalance.lost([PARTITION])
    group.rebalance.check()
    assert not group.source.is_replaced
    monkeypatch.setattr("consumer.rebalance.REJOIN_S", 0.0)
    group.rebalance.check()
    assert group.source.is_replaced
