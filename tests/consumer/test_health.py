"""What /healthz and /readyz answer."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from consumer.health import STALLED_S, health
from consumer.lanes.lane import Partition


@dataclass
class Loop:
    polled_at_s: float = 100.0
    problem: str = ""
    restoring: str = ""
    paused: dict[str, str] = field(default_factory=dict)
    partitions: list[Partition] = field(default_factory=lambda: [("metrics", 3)])


def test_a_member_of_the_group_is_ready() -> None:
    assert health(Loop(), {"forecast": "no answer"}, {"other": "rejected"}, 101.0) == {
        "alive": True,
        "ready": True,
        "reason": "",
        "partitions": ["metrics/3"],
        "routes_out": {"forecast": "no answer"},
        "routes_not_reached": {"other": "rejected"},
    }


@pytest.mark.parametrize(
    "loop",
    [
        Loop(problem="no broker"),
        Loop(restoring="no broker"),
        Loop(paused={"metrics": "no broker"}),
    ],
)
def test_the_reason_says_why_the_consumer_is_not_ready(loop: Loop) -> None:
    answer = health(loop, {}, {}, 101.0)
    assert (answer["alive"], answer["ready"], answer["reason"]) == (True, False, "no broker")


def test_a_loop_that_does_not_poll_is_stuck() -> None:
    answer = health(Loop(problem="no broker"), {}, {}, 100 + STALLED_S)
    assert (answer["alive"], answer["ready"]) == (False, False)
    assert answer["reason"] == "the last poll was 30 s ago: the consumer is stuck; no broker"
