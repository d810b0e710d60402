from datetime import UTC, datetime

import numpy as np

from fncast.series.step import Step
from fncast.series.time_series import TimeSeries


def test_time_follows_the_step_beyond_the_end() -> None:
    start = datetime(2026, 1, 31, tzinfo=UTC)
    five_minutes = TimeSeries("cpu", start, Step.seconds(300.0), np.array([1.0, np.nan, 3.0]))
    assert five_minutes.time(3) == datetime(2026, 1, 31, 0, 15, tzinfo=UTC)
    monthly = TimeSeries("sales", datetime(2026, 1, 1, tzinfo=UTC), Step.calendar("P1M"), np.ones(2))
    assert monthly.time(2) == datetime(2026, 3, 1, tzinfo=UTC)


def test_counts_missing_readings() -> None:
    series = TimeSeries(
        "cpu", datetime(2026, 1, 1, tzinfo=UTC), Step.seconds(1.0), np.array([1.0, np.nan, np.nan])
    )
    assert (len(series), series.missing) == (3, 2)
