"""The steps of one series: their indices and times."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from fncast.series.step import Step


@dataclass(slots=True)
class SeriesGrid:
    """Steps that are counted from `anchor`, the time of index 0."""

    anchor: datetime
    step: Step
    _anchor_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._anchor_s = self.anchor.timestamp()

    def index(self, moment: datetime) -> int:
        """The step nearest to a moment; negative before the anchor."""
        return self.step.index_between(self.anchor, moment)

    def time_s(self, index: int) -> float:
        """The time of a step, in seconds since 1970."""
        if self.step.period_s is not None:
            return self._anchor_s + index * self.step.period_s
        return self.step.after(self.anchor, index).timestamp()

    @property
    def step_s(self) -> float:
        """The length of a step in seconds; for calendar steps of the first one."""
        return self.time_s(1) - self._anchor_s
