"""Rules of assembling: which settings are rejected, and what follows from them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from fncast.series.step import Step
from fncast.series.window import MIN_HISTORY
from interceptor.assembly.rules import Rules, length_ns

MINUTE = Step.seconds(60)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"window": 1}, "window = 1 is not between 2 and 1024 steps"),
        ({"window": 1025}, "window = 1025 is not between 2 and 1024 steps"),
        ({"minimum": 0}, "min_readings = 0 is not between 1 and the window, 48"),
        ({"minimum": 49}, "min_readings = 49 is not between 1 and the window, 48"),
        ({"aggregate": "median", "step": MINUTE}, "aggregate = 'median' is unknown: use one of last, mean"),
        ({"aggregate": "mean"}, "aggregate = 'mean' needs a step: set step"),
        ({"rate": "on"}, "rate = 'on' is unknown: use one of auto, off"),
        ({"grace_ns": -1}, "grace_s must not be negative"),
        ({"every": 0}, "every and max_series must be at least 1"),
        ({"max_series": 0}, "every and max_series must be at least 1"),
        ({"step": Step.seconds(1.5e-6)}, "step must be a whole number of microseconds"),
        ({"step": Step.parse("P32Y")}, "a window of 48 steps of P32Y is longer than 1500 years"),
        ({"low": 2.0, "high": 1.0}, "min is above max"),
    ],
)
def test_a_wrong_setting_is_named(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        Rules(**settings)


@pytest.mark.parametrize(
    ("window", "minimum", "needed"), [(48, None, MIN_HISTORY), (6, None, 3), (48, 20, 20)]
)
def test_a_forecast_needs_the_minimum_or_at_most_half_of_the_window(
    window: int, minimum: int | None, needed: int
) -> None:
    assert Rules(window=window, minimum=minimum).needed == needed


def test_only_a_step_of_equal_length_has_nanoseconds() -> None:
    assert Rules(step=MINUTE).step_ns == 60 * 10**9
    assert Rules(step=Step.parse("P1M")).step_ns == 0
    assert Rules().step_ns == 0


def test_the_length_of_a_calendar_step_is_its_longest() -> None:
    assert length_ns(Step.parse("P1M")) == 31 * 86_400 * 10**9


@pytest.mark.parametrize(
    "changed", [{"window": 24}, {"step": MINUTE}, {"step": MINUTE, "aggregate": "mean"}, {"rate": "off"}]
)
def test_windows_of_another_shape_cannot_be_continued(changed: dict[str, Any]) -> None:
    assert Rules(**changed).shape() != Rules().shape()


def test_other_counters_change_the_shape() -> None:
    assert Rules(counters=("net.*",)).shape() != Rules().shape()


def test_settings_that_change_no_window_keep_the_shape() -> None:
    assert Rules(every=2, grace_ns=0, unit="%", low=0.0, include=("a",)).shape() == Rules().shape()
