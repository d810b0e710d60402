"""The times in an event's data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fncast.dashboard.events.fields import UnreadableData
from fncast.series.rfc3339 import format_time, parse_time
from fncast.series.step import Step

ROUNDING_S = 1e-3  # a time this close to a step belongs to it


@dataclass(frozen=True, slots=True)
class Grid:
    """The times of a series' readings. `anchor` is the time of index 0. Readings without times have only indices."""

    step: Step | None = None
    anchor: datetime | None = None

    @classmethod
    def of(cls, data: Any) -> Grid:
        """The grid that starts at the `start` of an event's data. Data without a start gives a grid without times.

        Raises UnreadableData.
        """
        if not isinstance(data, dict) or data.get("start") is None:
            return cls()
        try:
            start = parse_time(data["start"])
            format_time(start)  # times are shown in UTC, where the year may be another one
            return cls(Step.of(data).anchored(start), start)
        except ValueError as error:
            raise UnreadableData(str(error)) from None

    @property
    def offset_s(self) -> float:
        """The UTC offset of the anchor in seconds. It decides which day a time belongs to."""
        offset = self.anchor.utcoffset() if self.anchor else None
        return offset.total_seconds() if offset else 0.0

    def index_of(self, moment: datetime) -> int:
        """The index nearest to `moment`. Raises ValueError if the grid has no times."""
        if self.step is None or self.anchor is None:
            raise ValueError("the grid has no times")
        return self.step.index_between(self.anchor, moment)

    def step_at(self, time_s: float) -> int:
        """The index of the step that contains a time in seconds since 1970."""
        index = self.index_of(datetime.fromtimestamp(time_s, UTC))
        return index if self.time_of(index) <= time_s + ROUNDING_S else index - 1

    def time_of(self, index: int) -> float:
        """The time of an index in seconds since 1970; the index itself if the grid has no times."""
        if self.step is None or self.anchor is None:
            return float(index)
        if self.step.period_s is not None:
            return self.anchor.timestamp() + index * self.step.period_s
        try:
            return self.step.after(self.anchor, index).timestamp()
        except ValueError:  # beyond the year 9999
            return float(index)
