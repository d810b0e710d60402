"""The time between two readings of a series."""

from __future__ import annotations

import calendar
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone

from fncast.series.duration import format_months, format_seconds, parse_duration
from fncast.series.rfc3339 import format_time
from fncast.series.short_value import short_value

MIN_STEP_S = timedelta.resolution.total_seconds()
MAX_STEP_S = (datetime.max - datetime.min).total_seconds()
MAX_MONTHS = 12 * 9998
# The day of a calendar step for the last day of every month.
LAST_DAY = 31


@dataclass(frozen=True, slots=True)
class Step:
    """The regular step of a series: a number of seconds or of calendar months. Create it with its class methods.

    day: the day of the month of a calendar step. In a shorter month it is the last day, so that 31 means the last day
    of every month. None if the first reading decides. Steps of the same length are equal, whatever their day.
    """

    period_s: float | None
    months: int | None = None
    day: int | None = field(default=None, compare=False)

    @classmethod
    def seconds(cls, seconds: float) -> Step:
        """A step of `seconds`, which may be a fraction. Raises ValueError unless in MIN_STEP_S to MAX_STEP_S."""
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise ValueError(f"step_s must be a number of seconds, not {short_value(seconds)}")
        try:
            period_s = float(seconds)
        except OverflowError:
            period_s = math.inf
        if not (math.isfinite(period_s) and period_s > 0):
            raise ValueError(f"step_s must be positive and finite, not {short_value(seconds)}")
        if period_s < MIN_STEP_S:
            raise ValueError(
                f"step_s is {short_value(seconds)}, shorter than a microsecond, which times cannot show"
            )
        if period_s > MAX_STEP_S:
            raise ValueError(
                f"step_s is {short_value(seconds)}, more than all the years that a time can name"
            )
        return cls(period_s)

    @classmethod
    def of_months(cls, months: int, day: int | None = None) -> Step:
        """A step of calendar months; a year has 12. Raises ValueError."""
        if not 1 <= months <= MAX_MONTHS:
            raise ValueError(f"a step of {months} months is not between 1 month and 9998 years")
        if day is not None and (type(day) is not int or not 1 <= day <= LAST_DAY):
            raise ValueError(f"step_day must be a day of the month, 1 to 31, not {short_value(day)}")
        return cls(None, months, day)

    @classmethod
    def parse(cls, text: object) -> Step:
        """The step of an ISO 8601 duration such as PT5M, PT1H, P7D, P1M, P3M, P6M or P1Y. Raises ValueError.

        Months and years are calendar steps. All others are seconds; a day has 86,400.
        """
        if not isinstance(text, str):
            raise ValueError(f"step must be a string such as PT5M or P1M, not {short_value(text)}")
        try:
            months, seconds = parse_duration(text)
        except ValueError as error:
            raise ValueError(f"step: {error}; for a number of seconds use step_s") from None
        if months and seconds:
            raise ValueError(f"step: {short_value(text)} mixes months with days or seconds; use one of them")
        if months:
            return cls.of_months(months)
        if not seconds:
            raise ValueError(f"step: {short_value(text)} is zero; a step must be positive")
        return cls.seconds(float(seconds))

    @classmethod
    def calendar(cls, period: str) -> Step:
        """A step of calendar months, such as P1M, P3M or P1Y. Raises ValueError for any other."""
        step = cls.parse(period)
        if step.months is None:
            raise ValueError(f"step must be months or years such as P1M, not {short_value(period)}")
        return step

    @classmethod
    def of(cls, data: Mapping[str, object]) -> Step:
        """The step of an event's data, from either `step_s` or `step`. Raises ValueError.

        The day of a calendar step is `step_day`.
        """
        seconds, period = data.get("step_s"), data.get("step")
        if seconds is not None and period is not None:
            raise ValueError("step_s and step are both given; give one of them")
        if seconds is not None:
            return cls.seconds(seconds)  # type: ignore[arg-type]  # checked there
        if period is not None:
            step = cls.parse(period)
            if step.months is None:
                return step
            return cls.of_months(step.months, data.get("step_day"))  # type: ignore[arg-type]  # checked there
        raise ValueError("step_s (seconds) or step (such as PT5M or P1M) is missing")

    def anchored(self, start: datetime) -> Step:
        """This step with a day. If it has none, the day is that of `start`; the last day of a month means the last day
        of every month. Raises ValueError if `start` is not on the step's day.
        """
        if self.months is None:
            return self
        last = _days(start.year, start.month)
        if self.day is None:
            return replace(self, day=LAST_DAY if start.day == last else start.day)
        if start.day != min(self.day, last):
            raise ValueError(f"{start.isoformat()} is not on step_day {self.day} of its month")
        return self

    def after(self, start: datetime, steps: int) -> datetime:
        """The moment `steps` steps after `start`, with the offset of `start`. Raises ValueError outside the years 1 to
        9999.

        Calendar steps keep the day of the anchored step: month ends stay month ends, and two months after January 30th
        is March 30th. Months are counted in the offset of `start`.
        """
        try:
            if self.period_s is not None:
                return _add(start, timedelta(seconds=self.period_s * steps))
            day = self.day or self.anchored(start).day or LAST_DAY
            months = start.month - 1 + (self.months or 0) * steps
            year, month = start.year + months // 12, months % 12 + 1
            return start.replace(year=year, month=month, day=min(day, _days(year, month)))
        except (OverflowError, ValueError):
            raise ValueError(
                f"{steps} steps after {start.isoformat()} is outside the years 1 to 9999"
            ) from None

    def index_between(self, start: datetime, moment: datetime) -> int:
        """The number of steps from `start` to the step nearest to `moment`; negative before `start`."""
        if self.period_s is not None:
            return round((moment - start).total_seconds() / self.period_s)
        try:
            here = moment.astimezone(start.tzinfo)
        except OverflowError:  # the first or the last day of the calendar
            here = moment
        months = (here.year - start.year) * 12 + here.month - start.month
        step, index = self.anchored(start), months // (self.months or 1)
        near = [n for n in (index - 1, index, index + 1) if _exists(step, start, n)]
        return min(near, key=lambda n: abs(step.after(start, n) - moment))

    def as_json(self, start: datetime | None = None) -> dict[str, float | int | str]:
        """The members for an event's data: `{"step_s": 300}` or `{"step": "P1M"}`.

        With `step_day` if the day of the month cannot be read from `start`.
        """
        if self.period_s is not None:
            return {"step_s": int(self.period_s) if self.period_s.is_integer() else self.period_s}
        if start is None or self.day in (None, Step(None, self.months).anchored(start).day):
            return {"step": str(self)}
        return {"step": str(self), "step_day": self.day or LAST_DAY}

    def __str__(self) -> str:
        """The ISO 8601 duration."""
        return format_months(self.months or 0) if self.period_s is None else format_seconds(self.period_s)


def format_start(start: datetime, step: Step) -> str:
    """The start as RFC 3339: in UTC, or with its own offset for a calendar step. Raises ValueError."""
    offset = start.utcoffset()
    if step.months is None or not offset or offset.total_seconds() % 60:
        return format_time(start)
    return start.isoformat()


def _add(start: datetime, distance: timedelta) -> datetime:
    """Add elapsed time: adding to a local time directly would ignore daylight saving changes."""
    if start.tzinfo is None or isinstance(start.tzinfo, timezone):
        return start + distance
    return (start.astimezone(UTC) + distance).astimezone(start.tzinfo)


def _exists(step: Step, start: datetime, steps: int) -> bool:
    try:
        step.after(start, steps)
    except ValueError:
        return False
    return True


def _days(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]
