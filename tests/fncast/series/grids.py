"""Grids of times for the tests of `grid` and `calendar_grid`."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import numpy as np

from fncast.series.grid import Corrections, to_grid
from fncast.series.step import Step
from fncast.series.time_series import TimeSeries

BERLIN = ZoneInfo("Europe/Berlin")


def grid(
    times: list[datetime], step: Step | None = None, zone: tzinfo = UTC
) -> tuple[TimeSeries, Corrections]:
    seconds = np.array([time.timestamp() for time in times])
    return to_grid("sales", seconds, np.arange(float(len(times))), step, zone)


def assert_as_is(times: list[datetime], step: str, zone: tzinfo = UTC) -> TimeSeries:
    series, corrections = grid(times, zone=zone)
    assert str(series.step) == step
    assert not corrections
    assert [series.time(index) for index in range(len(times))] == times
    assert series.values.tolist() == list(range(len(times)))
    return series
