"""The grid of a series: which step a time belongs to, and when a step is."""

from __future__ import annotations

from functools import lru_cache

from fncast.series.step import Step
from interceptor.readings.times import since_epoch_ns, to_datetime

_NS = 1_000_000_000
_SHARED = 1024  # cached grids: series with equal grids share one


def period_ns(step: Step) -> int:
    """The step in nanoseconds; 0 for a calendar step."""
    return round((step.period_s or 0.0) * _NS)


class FixedGrid:
    """Steps of equal length. Step n covers the times from `base_ns` + n steps up to the next one."""

    __slots__ = ("_is_period", "base_ns", "step", "step_ns")

    def __init__(self, step: Step, base_ns: int, is_period: bool) -> None:
        """is_period: whether a value is about the whole step (an aggregate), or about its middle (a single reading)."""
        self.step = step
        self.step_ns = period_ns(step)
        self.base_ns = base_ns
        self._is_period = is_period

    @classmethod
    def around(cls, step: Step, reading_ns: int) -> FixedGrid:
        """The grid with a reading in the middle of its step."""
        step_ns = period_ns(step)
        return cls(step, reading_ns % step_ns - step_ns // 2, False)

    @classmethod
    def periods(cls, step: Step) -> FixedGrid:
        """The grid whose steps begin at multiples of the step since 1970 in UTC."""
        return cls(step, 0, True)

    def index(self, time_ns: int) -> int:
        """The step that a time belongs to."""
        return (time_ns - self.base_ns) // self.step_ns

    def start_ns(self, index: int) -> int:
        """The time that the value of this step has in a window."""
        begin_ns = self.base_ns + index * self.step_ns
        return begin_ns if self._is_period else begin_ns + self.step_ns // 2

    def end_ns(self, index: int) -> int:
        """When the step ends; for single readings the same as `start_ns`."""
        begin_ns = self.base_ns + index * self.step_ns
        return begin_ns + self.step_ns if self._is_period else begin_ns + self.step_ns // 2

    def anchor(self) -> int:
        """The number from which `from_anchor` builds the same grid."""
        return self.base_ns


class CalendarGrid:
    """Steps of calendar months in UTC. Step 0 is at `origin_ns`, in nanoseconds since 1970."""

    __slots__ = ("_is_period", "_origin", "origin_ns", "step")
    step_ns = 0
    base_ns = 0

    def __init__(self, step: Step, origin_ns: int, is_period: bool) -> None:
        """is_period: as in FixedGrid."""
        self._origin = to_datetime(origin_ns)
        self.step = step.anchored(self._origin)
        self.origin_ns = origin_ns
        self._is_period = is_period

    @classmethod
    def around(cls, step: Step, reading_ns: int) -> CalendarGrid:
        """The grid with this reading at the time of its step.

        If the step names a day of the month, only the month and the time of day come from the reading.
        """
        origin = to_datetime(reading_ns)
        if step.day is not None:
            origin = Step.of_months(step.months or 1, step.day).after(origin.replace(day=1), 0)
        return cls(step, since_epoch_ns(origin), False)

    @classmethod
    def periods(cls, step: Step) -> CalendarGrid:
        """The grid whose steps begin on the first day of a month; quarters and years begin in January."""
        return cls(Step.of_months(step.months or 1, 1), 0, True)

    def index(self, time_ns: int) -> int:
        """The step that a time belongs to."""
        moment = to_datetime(time_ns)
        if not self._is_period:
            return self.step.index_between(self._origin, moment)
        months = (moment.year - 1970) * 12 + moment.month - 1
        return months // (self.step.months or 1)

    def start_ns(self, index: int) -> int:
        """The time that the value of this step has in a window."""
        return since_epoch_ns(self.step.after(self._origin, index))

    def end_ns(self, index: int) -> int:
        """When the step ends; for single readings the same as `start_ns`."""
        return self.start_ns(index + 1) if self._is_period else self.start_ns(index)

    def anchor(self) -> int:
        """The number from which `from_anchor` builds the same grid."""
        return self.origin_ns


Grid = FixedGrid | CalendarGrid


def around(step: Step, reading_ns: int) -> Grid:
    """The grid of single readings with this one in the middle of its step."""
    if step.months is not None:
        return CalendarGrid.around(step, reading_ns)
    return from_anchor(step, None, FixedGrid.around(step, reading_ns).base_ns)


@lru_cache(_SHARED)
def periods(step: Step) -> Grid:
    """The grid of aggregated steps."""
    return FixedGrid.periods(step) if step.months is None else CalendarGrid.periods(step)


@lru_cache(_SHARED)
def from_anchor(step: Step, day: int | None, anchor_ns: int) -> Grid:
    """The grid of single readings with this anchor. day: the day of the step.

    The day is a separate argument because equal steps may have different days, and the cache must distinguish them.
    """
    if step.months is None:
        return FixedGrid(step, anchor_ns, False)
    return CalendarGrid(Step.of_months(step.months, day), anchor_ns, False)
