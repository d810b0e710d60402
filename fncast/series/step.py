"""The time between two readings of a series."""

from __future__ import annotations

import calendar
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

CALENDAR_MONTHS = {"P1M": 1, "P1Y": 12}
MAX_STEP_S = (datetime.max - datetime.min).total_seconds()


@dataclass(frozen=True, slots=True)
class Step:
    """The regular step of a series: seconds, or a calendar month or year. Made by its class methods."""

    period_s: float | None
    period: str | None

    @classmethod
    def seconds(cls, seconds: float) -> Step:
        """A step of `seconds`, which may be a fraction. Raises ValueError unless positive and at most MAX_STEP_S."""
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise ValueError(f"step_s must be a number of seconds, not {_short(seconds)}")
        try:
            period_s = float(seconds)
        except OverflowError:
            period_s = math.inf
        if not (math.isfinite(period_s) and period_s > 0):
            raise ValueError(f"step_s must be positive and finite, not {_short(seconds)}")
        if period_s > MAX_STEP_S:
            raise ValueError(f"step_s is {_short(seconds)}, more than all the years that a time can name")
        return cls(period_s, None)

    @classmethod
    def calendar(cls, period: str) -> Step:
        """A step of a calendar month, `P1M`, or year, `P1Y` (ISO 8601). Raises ValueError for any other."""
        if not isinstance(period, str) or period not in CALENDAR_MONTHS:
            raise ValueError(f"step must be P1M or P1Y, not {_short(period)}; for seconds use step_s")
        return cls(None, period)

    @classmethod
    def of(cls, data: Mapping[str, object]) -> Step:
        """The step that an event's data names by `step_s` or `step`, one of them. Raises ValueError."""
        seconds, period = data.get("step_s"), data.get("step")
        if seconds is not None and period is not None:
            raise ValueError("step_s and step are both given; give one of them")
        if seconds is not None:
            return cls.seconds(seconds)  # type: ignore[arg-type]  # checked there
        if period is not None:
            return cls.calendar(period)  # type: ignore[arg-type]  # checked there
        raise ValueError("step_s (seconds) or step (P1M, P1Y) is missing")

    def after(self, start: datetime, steps: int) -> datetime:
        """The moment `steps` steps after `start`, counted from `start` and in its offset.

        Calendar steps keep the day, or take the last of a shorter month: two months after January 31st is
        March 31st. Raises ValueError beyond the year 9999."""
        try:
            if self.period_s is not None:
                return start + timedelta(seconds=self.period_s * steps)
            months = start.month - 1 + CALENDAR_MONTHS[self.period or ""] * steps
            year, month = start.year + months // 12, months % 12 + 1
            return start.replace(year=year, month=month, day=min(start.day, _days(year, month)))
        except (OverflowError, ValueError):
            raise ValueError(
                f"{steps} steps after {start.isoformat()} is outside the years 1 to 9999"
            ) from None

    def as_json(self) -> dict[str, float | int | str]:
        """The member of an event's data that says this step: `{"step_s": 300}` or `{"step": "P1M"}`."""
        if self.period_s is None:
            return {"step": self.period or ""}
        return {"step_s": int(self.period_s) if self.period_s.is_integer() else self.period_s}


def _days(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def _short(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return "an integer of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."
