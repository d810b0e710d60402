"""A time series: named readings on a regular grid."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from fncast.series.step import Step


@dataclass(frozen=True, eq=False)
class TimeSeries:
    """Readings at regular steps.

    start: the time of the first reading, with an offset. values: (readings,) float64, NaN for a missing reading.
    """

    name: str
    start: datetime
    step: Step
    values: NDArray[np.float64]
    unit: str | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def missing(self) -> int:
        """The number of missing readings."""
        return int(np.isnan(self.values).sum())

    def time(self, index: int) -> datetime:
        """The time of the reading at `index`. An index beyond the end gives a future time."""
        return self.step.after(self.start, index)
