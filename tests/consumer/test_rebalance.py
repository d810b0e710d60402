"""Rebalance: partitions that come and go, and a client that is replaced."""

from __future__ import annotations

from typing import Any

import pytest

from consumer.dead_letter_watch import DeadLetterWatch
from consumer.lane import Lane, Partition
from consumer.lanes import Lanes
from consumer.rebalance import Rebalance

PARTITION = ("metrics", 0)


class Source:
    def __init__(self) -> None:
        self.is_member = self.has_lost_connection = self.is_replaced = False
        self.resumed: list[Partition] = []

    def is_cut_off(self) -> bool:
        return self.has_lost_connection

    def replace_client(self) -> None:
        self.is_replaced = True

    def resume(self, partitions: list[Partition]) -> None:
        self.resumed += partitions


class Others:
    """Commits, results and topics: records what is called."""

    all_exist = True

    def __init__(self) -> None:
        self.calls: list[str] = []

    def abandon(self, lanes: list[Lane]) -> None:
        self.calls.append("abandon")

    def assigned(self, lanes: list[Lane] | None = None) -> None:
        if lanes is None:  # results, and not the states
            self.calls.append("assigned")

    def prepare(self) -> None:
        self.calls.append("prepare")

    def dropped(self, lanes: list[Lane]) -> None:
        self.calls.append("dropped")

    def finish(self, lanes: list[Lane]) -> None:
        self.calls.append("finish")


class Group:
    def __init__(self) -> None:
        self.source: Any = Source()
        self.others: Any = Others()
        self.lanes = Lanes()
        self.rebalance = Rebalance(
            self.source,
            self.lanes,
            self.others,
            self.others,
            self.others,
            DeadLetterWatch("dead", 3, lambda: 0.0),
            self.others.finish,
            self.others,
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
    group.others.all_exist = False
    group.rebalance.assigned([PARTITION])
    assert group.others.calls == ["prepare", "assigned"]


def test_a_revoked_partition_is_finished_and_then_abandoned(group: Group) -> None:
    group.rebalance.assigned([PARTITION])
    (lane,) = group.lanes
    lane.is_paused = True
    group.rebalance.revoked([PARTITION])
    assert group.others.calls == ["assigned", "finish", "abandon", "dropped"]
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
