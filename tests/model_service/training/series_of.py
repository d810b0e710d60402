"""A series of values, for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from fncast.series.step import Step
from fncast.series.time_series import TimeSeries


def series_of(values: Any, name: str = "shop") -> TimeSeries:
    array = np.asarray(values, dtype=np.float64)
    return TimeSeries(name, datetime(2026, 1, 1, tzinfo=UTC), Step.seconds(300.0), array)
