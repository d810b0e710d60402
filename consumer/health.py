"""Says whether the consumer is alive and ready, and why not; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from consumer.lane import Partition

STALLED_S = 30.0  # the consumer is stuck if its loop has not polled for so long


class LoopState(Protocol):
    """The part of Loop that its health depends on."""

    polled_at_s: float

    @property
    def is_member(self) -> bool: ...

    @property
    def problem(self) -> str: ...

    @property
    def restoring(self) -> str: ...

    @property
    def paused(self) -> Mapping[str, str]: ...

    @property
    def partitions(self) -> Sequence[Partition]: ...


def health(
    loop: LoopState, routes_out: Mapping[str, str], routes_not_reached: Mapping[str, str], now_s: float
) -> dict[str, Any]:
    """The answer of /healthz and /readyz.

    routes_out, routes_not_reached: the reason by route. now_s: monotonic. Returns a JSON object: `reason` says why the
    consumer is not ready or not alive, and is empty if it is both.
    """
    polled_s_ago = now_s - loop.polled_at_s
    is_alive = polled_s_ago < STALLED_S
    problems = [loop.problem, loop.restoring, *loop.paused.values()]
    if not is_alive:
        problems.insert(0, f"the last poll was {polled_s_ago:.0f} s ago: the consumer is stuck")
    return {
        "alive": is_alive,
        "ready": loop.is_member and not loop.paused and not loop.restoring,
        "reason": "; ".join(problem for problem in problems if problem),
        "partitions": [f"{topic}/{partition}" for topic, partition in loop.partitions],
        "routes_out": dict(routes_out),
        "routes_not_reached": dict(routes_not_reached),
    }
