"""Says whether the consumer is alive and ready, and why not; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from consumer.lanes.lane import Partition

STALLED_S = 30.0  # the consumer is stuck if its loop has not polled for so long


class LoopState(Protocol):
    """The part of Loop that its health depends on."""

    @property
    def polled_at_s(self) -> float:
        """The monotonic time of the last poll."""

    @property
    def problem(self) -> str:
        """Why the consumer cannot work; empty if it can."""

    @property
    def restoring(self) -> str:
        """Why some partitions wait for their state to be restored; empty if none does."""

    @property
    def paused(self) -> Mapping[str, str]:
        """By topic the reason why it is not read any further."""

    @property
    def partitions(self) -> Sequence[Partition]:
        """The partitions that the group has assigned to this consumer."""


def health(
    loop: LoopState, routes_out: Mapping[str, str], routes_not_reached: Mapping[str, str], now_s: float
) -> dict[str, Any]:
    """The answer of /healthz and /readyz.

    routes_out, routes_not_reached: the reason by route. now_s: monotonic. Returns a JSON object: `reason` says why the
    consumer is not ready or not alive, and is empty if it is both.
    """
    polled_s_ago = now_s - loop.polled_at_s
    is_alive = polled_s_ago < STALLED_S
    found = [loop.problem, loop.restoring, *loop.paused.values()]
    if not is_alive:
        found.insert(0, f"the last poll was {polled_s_ago:.0f} s ago: the consumer is stuck")
    reason = "; ".join(problem for problem in found if problem)
    return {
        "alive": is_alive,
        "ready": not reason,
        "reason": reason,
        "partitions": [f"{topic}/{partition}" for topic, partition in loop.partitions],
        "routes_out": dict(routes_out),
        "routes_not_reached": dict(routes_not_reached),
    }
