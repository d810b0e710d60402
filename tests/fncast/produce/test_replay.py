from __future__ import annotations

from datetime import UTC, datetime

import numpy as np

from fncast.produce.replay import readings
from fncast.series.step import Step
from fncast.series.time_series import TimeSeries

START = datetime(2026, 1, 1, tzinfo=UTC)


def series(*values: float) -> TimeSeries:
    return TimeSeries("taxi", START, Step.seconds(1800), np.array(values))


def test_a_series_is_replayed_with_its_times() -> None:
    found = list(readings(series(5, np.nan)))
    assert [(reading.index, reading.time.minute) for reading in found] == [(0, 0), (1, 30)]
    assert np.isnan(found[1].value)
