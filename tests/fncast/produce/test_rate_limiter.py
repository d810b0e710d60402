from __future__ import annotations

import pytest

from fncast.produce.rate_limiter import RateLimiter
from tests.fncast.produce.clock import Clock


def test_events_keep_their_schedule_and_catch_up_in_part() -> None:
    clock = Clock()
    limiter = RateLimiter(10, clock=clock, sleep=clock.sleep)
    for _ in range(11):
        limiter.wait()
    assert clock.now_s == pytest.approx(1_001.0)
    clock.now_s += 5.0
    clock.slept_s.clear()
    for _ in range(30):
        limiter.wait()
    # 30 events take 2.9 s; one second of events is sent at once.
    assert sum(clock.slept_s) == pytest.approx(1.9)


@pytest.mark.parametrize("rate", [0, -1, float("inf"), float("nan")])
def test_a_rate_must_be_positive(rate: float) -> None:
    with pytest.raises(ValueError, match="rate must be a positive number"):
        RateLimiter(rate)
