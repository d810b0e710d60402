"""Puts times onto a grid of calendar months: finds the day of the month and the number of months in a step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import numpy as np
from numpy.typing import NDArray

from fncast.series.step import LAST_DAY, Step

DAY_S = 86_400.0
# The shortest usual time between monthly readings: one day less than February.
MIN_MONTH_S = 27 * DAY_S
# The shortest usual time between readings that come twice a month.
MIN_HALF_MONTH_S = 12 * DAY_S
# The largest distance of a reading from its place on the grid: more than the hour of daylight saving, less than a day.
TOLERANCE_S = 6 * 3_600.0
# The smaller of two steps in months is used if at least this share of its grid has readings.
MIN_FILLED_SHARE = 0.5
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Seconds = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Fit:
    """Times on a grid. start: the time of index 0. index: (readings,) ascending from 0.

    off_grid: times that moved. by_hours: times that moved by at most the tolerance, which do not count as moved.
    """

    step: Step
    start: datetime
    index: Indices
    off_grid: int
    by_hours: int = 0

    @property
    def repeated(self) -> int:
        """How many times have the index of an earlier time."""
        return int((np.diff(self.index) == 0).sum())

    @property
    def changes(self) -> tuple[int, int]:
        """How many readings are lost or missing, and how many moved. The fit with the lower value changes less."""
        missing = int(self.index[-1]) + 1 - (len(self.index) - self.repeated)
        return self.repeated + missing, self.off_grid


def fit_months(times_s: Seconds, zone: tzinfo) -> Fit | None:
    """The grid of months for these times. None if they are too close together.

    times_s: (readings,) seconds since 1970 UTC, ascending and different. zone: the time zone of the months.
    """
    if len(times_s) < 2 or np.median(np.diff(times_s)) < MIN_MONTH_S:
        return None
    wall_s = wall_seconds(times_s, zone)
    day = _day_of_month(wall_s)
    months, _ = _nearest(wall_s, 1, day)
    step = Step.of_months(_months_between(np.unique(months)), day)
    return fit_given_months(times_s, step, zone)


def fit_given_months(times_s: Seconds, step: Step, zone: tzinfo) -> Fit:
    """As `fit_months` with a given step. The day of the month is found if the step has none.

    Each time goes to the nearest step of the grid. If calendar periods of the step's length keep more readings apart
    (as months that become years), each reading goes to the step of its month, quarter or year.
    """
    count = step.months or 1
    wall_s = wall_seconds(times_s, zone)
    day = step.day or _day_of_month(wall_s)
    months = _month_of(wall_s)
    places, place_s = _nearest(wall_s, count, day)
    # Quarters and years begin in January, other periods with the first reading.
    periods = months // count if 12 % count == 0 or count % 12 == 0 else (months - months[0]) // count
    if len(np.unique(periods)) > len(np.unique(places)):
        places = periods
        place_s = _place(months[0] + count * (periods - periods[0]), wall_s[0], day)
    off_grid = int((np.abs(wall_s - place_s) > TOLERANCE_S).sum())
    start = (_EPOCH.replace(tzinfo=None) + timedelta(seconds=float(place_s[0]))).replace(tzinfo=zone)
    by_hours = int((np.abs(wall_s - place_s) > 1.0).sum()) - off_grid
    return Fit(Step.of_months(count, day), start, places - places[0], off_grid, by_hours)


def half_months(times_s: Seconds, zone: tzinfo) -> str:
    """The two days of the month of all readings, such as `day 1 and day 15`; empty for other times.

    times_s: (readings,) seconds since 1970 UTC, ascending and different. Needs two months.
    """
    if len(times_s) < 4 or not MIN_HALF_MONTH_S <= np.median(np.diff(times_s)) < MIN_MONTH_S:
        return ""
    wall_s = wall_seconds(times_s, zone)
    months = _month_of(wall_s)
    first, length = _month_days(months)
    days = np.floor(wall_s / DAY_S).astype(np.int64) - first + 1
    counts = np.unique(months, return_counts=True)[1]
    is_late = days >= days.min() + MIN_HALF_MONTH_S / DAY_S
    early, late = np.unique(days[~is_late]), days[is_late]
    if counts.max() != 2 or (counts[1:-1] != 2).any() or len(early) != 1 or not len(late):
        return ""
    ends = length[is_late]
    if (late == ends).all():
        return f"day {early[0]} and the last day"
    if (late == np.minimum(late.max(), ends)).all():
        return f"day {early[0]} and day {late.max()}"
    return ""


def _months_between(months: Indices) -> int:
    """The months of a step: the greatest common divisor of all distances, or, if that leaves most of the grid empty,
    the commonest distance. months: of the readings, ascending and different.
    """
    distances = np.diff(months)
    if not len(distances):
        return 1
    divisor = int(np.gcd.reduce(distances))
    if (len(distances) + 1) * divisor >= MIN_FILLED_SHARE * (months[-1] - months[0]):
        return divisor
    lengths, counts = np.unique(distances, return_counts=True)
    return int(lengths[np.argmax(counts)]) if 2 * counts.max() >= len(distances) else divisor


def _day_of_month(wall_s: Seconds) -> int:
    """The day of the month of all or most readings; 31 if these are the last days of their months."""
    first, length = _month_days(_month_of(wall_s))
    days = np.floor(wall_s / DAY_S).astype(np.int64) - first + 1
    is_last = days == length
    latest = int(days.max())
    if is_last.all():
        return LAST_DAY
    if (days == np.minimum(latest, length)).all():
        return latest
    values, counts = np.unique(days, return_counts=True)
    return LAST_DAY if is_last.sum() > counts.max() else int(values[np.argmax(counts)])


def _nearest(wall_s: Seconds, count: int, day: int) -> tuple[Indices, Seconds]:
    """The number and the time of the place nearest to each time. Places are `count` months apart."""
    months = _month_of(wall_s)
    near = (months - months[0]) // count + np.array([[-1], [0], [1]])
    places_s = _place(months[0] + count * near, wall_s[0], day)
    best = np.argmin(np.abs(places_s - wall_s), axis=0)
    at = np.arange(len(wall_s))
    return near[best, at], places_s[best, at]


def _place(months: Indices, first_s: float, day: int) -> Seconds:
    """The given day of each month, at the first reading's time of the day."""
    first, length = _month_days(months)
    return np.asarray((first + np.minimum(day, length) - 1) * DAY_S + first_s % DAY_S, dtype=np.float64)


def _month_of(wall_s: Seconds) -> Indices:
    """Months since January 1970."""
    days = np.floor(wall_s / DAY_S).astype(np.int64).astype("datetime64[D]")
    return days.astype("datetime64[M]").astype(np.int64)


def _month_days(months: Indices) -> tuple[Indices, Indices]:
    """The first day of each month, in days since 1970, and the number of its days."""
    first, following = (
        each.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) for each in (months, months + 1)
    )
    return first, following - first


def wall_seconds(times_s: Seconds, zone: tzinfo) -> Seconds:
    """The local time in the zone, in seconds since 1970 of local time. times_s: (readings,) seconds since 1970 UTC."""
    if isinstance(zone, timezone):
        offset_s = zone.utcoffset(None).total_seconds()
        return np.asarray(times_s + offset_s)
    moments = [(_EPOCH + timedelta(seconds=float(time_s))).astimezone(zone) for time_s in times_s]
    offsets = [moment.utcoffset() or timedelta(0) for moment in moments]
    return np.asarray(times_s + [offset.total_seconds() for offset in offsets])
