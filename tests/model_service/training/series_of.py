"""A series of values, for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from fncast.series.series import Series
from fncast.series.step import Step


def series_of(values: Any, name: str = "shop") -> Series:
    array = np.asarray(values, dtype=np.float64)
    return Series(name, datetime(2026, 1, 1, tzinfo=UTC), Step.seconds(300.0), array)
