"""Puts readings with any times onto a regular grid and reports the changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

import numpy as np
from numpy.typing import NDArray

from fncast.series.calendar_grid import DAY_S, Fit, fit_given_months, fit_months, half_months, wall_seconds
from fncast.series.step import MIN_STEP_S, Step
from fncast.series.time_series import TimeSeries
from fncast.wording.count import counted

# Bounds the memory if a wrong date is far away; enough for a year of one-second readings.
MAX_GRID_READINGS = 32_000_000
# A grid with a smaller share of readings is an error: the step is wrong, or the file holds several series.
MIN_FILLED_SHARE = 0.02
# The commonest distance is the step of readings with many gaps if this share of its steps is filled.
MIN_SPARSE_SHARE = 0.1
# Rounding and jitter change the commonest distance by less than this share.
MAX_DRIFT = 0.1
# A mean distance may be rounded by at most this share.
MAX_ROUNDING = 0.005
_UNITS_S = (DAY_S, 3600.0, 60.0, 1.0)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NoGrid(ValueError):
    """Readings cannot be put onto a grid. The text gives the reason and the fix."""


@dataclass(frozen=True)
class Corrections:
    """What was changed to make readings a regular series. False if nothing was changed.

    series: its name. readings: their number before any change.
    """

    series: str
    readings: int
    out_of_order: int = 0
    exact_repeats: int = 0
    replaced: int = 0  # readings that were replaced by a later line with the same time
    off_grid: int = 0  # readings that were moved to the nearest step
    by_hours: int = 0  # readings whose month begins at another hour, as with daylight saving
    gaps: int = 0
    missing: int = 0  # steps of the grid without a reading

    def __bool__(self) -> bool:
        return any(
            (self.out_of_order, self.exact_repeats, self.replaced, self.off_grid, self.gaps, self.missing)
        )

    def __str__(self) -> str:
        parts = (
            (self.out_of_order, "out of order (sorted)"),
            (self.exact_repeats, "repeated exactly (dropped)"),
            (self.replaced, "with the time of a later reading with another value (the last one counts)"),
            (self.off_grid, "between two steps (moved to the nearest)"),
            (
                self.missing,
                f"missing in {counted(self.gaps, 'gap')}, bridged in windows that are at least half full",
            ),
        )
        changes = ", ".join(f"{count} {what}" for count, what in parts if count)
        return f"{self.series}: {self.readings} readings" + (f", {changes}" if changes else "")


def to_grid(
    name: str,
    times_s: NDArray[np.float64],
    values: NDArray[np.float64],
    step: Step | None = None,
    zone: tzinfo = UTC,
) -> tuple[TimeSeries, Corrections]:
    """Sort the readings and put them onto a regular grid. Returns the series and the changes.

    times_s: (readings,) seconds since 1970 UTC in any order. values: (readings,), NaN for an empty reading.
    step: None to use the commonest distance; calendar months, quarters and years are recognised.
    zone: the time zone of days and months; the start of a series with a calendar step is in it. Raises NoGrid.
    """
    ordered = _in_order(times_s, values)
    if len(ordered.times_s) < 2:
        raise NoGrid(
            f"series {name!r} has only one reading; add a reading with another time, so that the step is known"
        )
    fit = _fit(name, ordered.times_s, step, zone)
    on_grid = np.full(int(fit.index[-1]) + 1, np.nan)
    on_grid[fit.index] = ordered.values  # the last reading of a step counts
    empty = np.isnan(on_grid)
    corrections = Corrections(
        series=name,
        readings=len(times_s),
        out_of_order=ordered.out_of_order,
        exact_repeats=ordered.exact_repeats,
        replaced=ordered.replaced + fit.repeated,
        off_grid=fit.off_grid,
        by_hours=fit.by_hours,
        gaps=int((np.diff(empty.astype(np.int8)) == 1).sum()) + int(empty[0]),
        missing=int(empty.sum()),
    )
    return TimeSeries(name, fit.start, fit.step, on_grid), corrections


@dataclass(frozen=True)
class _OrderedReadings:
    """Readings with ascending, different times. The counts are those of `Corrections`."""

    times_s: NDArray[np.float64]
    values: NDArray[np.float64]
    out_of_order: int
    exact_repeats: int
    replaced: int


def _in_order(times_s: NDArray[np.float64], values: NDArray[np.float64]) -> _OrderedReadings:
    """Sort the readings by time. Of readings with the same time, the last one counts."""
    out_of_order = int((np.diff(times_s) < 0).sum())
    if out_of_order:
        order = np.argsort(times_s, kind="stable")  # stable: of equal times the later line stays later
        times_s, values = times_s[order], values[order]
    same_time = np.diff(times_s) == 0
    same_value = (values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))
    if same_time.any():
        kept = np.append(~same_time, True)
        times_s, values = times_s[kept], values[kept]
    repeats, replaced = int((same_time & same_value).sum()), int((same_time & ~same_value).sum())
    return _OrderedReadings(times_s, values, out_of_order, repeats, replaced)


def _fit(name: str, times_s: NDArray[np.float64], step: Step | None, zone: tzinfo) -> Fit:
    """The times on the grid of the step, None for the step that is found. Raises NoGrid for a grid mostly empty."""
    if step is None:
        _check_half_months(name, times_s, zone)
        fit = _find_step(times_s, zone)
    else:
        fit = _on_step(times_s, step, zone)
    size = int(fit.index[-1]) + 1
    if size > MAX_GRID_READINGS or (size > 100 and len(fit.index) < MIN_FILLED_SHARE * size):
        raise _sparse_grid(name, times_s, fit, verb="seems to have" if step is None else "was given")
    return fit


def _check_half_months(name: str, times_s: NDArray[np.float64], zone: tzinfo) -> None:
    """Raises NoGrid for two readings in each month."""
    if days := half_months(times_s, zone):
        raise NoGrid(
            f"series {name!r} has two readings in each month, on {days}, which is not a regular step: keep one"
            " reading of each month"
        )


def _sparse_grid(name: str, times_s: NDArray[np.float64], fit: Fit, verb: str) -> NoGrid:
    """The error of a grid that is mostly empty. verb: how the series got its step."""
    widest = int(np.argmax(np.diff(times_s)))
    first, second = (_time(times_s[i]).isoformat() for i in (widest, widest + 1))
    return NoGrid(
        f"series {name!r} {verb} a step of {_spoken(fit.step)}, but its {len(fit.index)} readings span"
        f" {int(fit.index[-1]) + 1} steps, and there is no reading between {first} and {second}: correct a wrong time,"
        " or pass --series-column if the file holds several series"
    )


def _find_step(times_s: NDArray[np.float64], zone: tzinfo) -> Fit:
    """The step that changes the fewest readings. Months win if seconds are not better."""
    months = fit_months(times_s, zone)
    if months is not None and months.changes == (0, 0):
        return months
    seconds = _fit_seconds(times_s, zone)
    if months is None or (not seconds.off_grid and months.off_grid):
        return seconds
    return min(months, seconds, key=lambda fit: (fit.off_grid > 0, fit.changes))


def _fit_seconds(times_s: NDArray[np.float64], zone: tzinfo) -> Fit:
    """The grid of the commonest distance, or of the mean distance if that changes fewer readings.

    Rounded distances, such as 16 and 17 ms at 60 readings a second, or jitter may make the commonest distance wrong.
    Where readings have many gaps, it is right if it fits all of them.
    """
    distances = np.diff(times_s)
    lengths, counts = np.unique(np.round(distances, 3), return_counts=True)
    common_s = float(lengths[np.argmax(counts)])
    common = _on_step(times_s, Step.seconds(common_s), zone) if common_s > 0 else None
    is_usual = 2 * counts.max() >= len(distances)
    if common is not None and not common.off_grid and (is_usual or _filled_share(common) >= MIN_SPARSE_SHARE):
        return common
    mean_s = max(_fitted_step(times_s, float(np.median(distances))), MIN_STEP_S)
    if common is not None and is_usual and abs(mean_s - common_s) > MAX_DRIFT * common_s:
        return common
    fitted = _on_step(times_s, Step.seconds(mean_s), zone)
    return min(common, fitted, key=lambda fit: fit.changes) if common is not None and is_usual else fitted


def _filled_share(fit: Fit) -> float:
    """The share of the steps that have a reading."""
    return float(len(fit.index) / (fit.index[-1] + 1))


def _on_step(times_s: NDArray[np.float64], step: Step, zone: tzinfo) -> Fit:
    """Put the times onto the nearest steps."""
    if step.period_s is None:
        return fit_given_months(times_s, step, zone)
    if step.period_s % DAY_S == 0:  # a day of local time, which may have 23 or 25 hours
        places_s = wall_seconds(times_s, zone)
    else:
        places_s = times_s
    position = (places_s - places_s[0]) / step.period_s
    index = np.round(position).astype(np.int64)
    off_grid = int((np.abs(position - index) > 0.01).sum())
    return Fit(step, _time(times_s[0]), index, off_grid)


def _fitted_step(times_s: NDArray[np.float64], median: float) -> float:
    """The step of jittering times: the mean distance, rounded if that moves no reading to another step.

    It is rounded to days, hours, minutes or seconds, else to 3 digits.
    """
    steps = float(np.maximum(np.round(np.diff(times_s) / median), 1).sum())
    fitted = float((times_s[-1] - times_s[0]) / steps)
    for rounded in (*(round(fitted / unit) * unit for unit in _UNITS_S), float(f"{fitted:.3g}")):
        change = abs(rounded - fitted)
        if change <= MAX_ROUNDING * fitted and change * steps < 0.5 * rounded:
            return rounded
    return fitted


def _time(seconds: float) -> datetime:
    return _EPOCH + timedelta(seconds=float(seconds))


def _spoken(step: Step) -> str:
    return str(step) if step.period_s is None else f"{step.as_json()['step_s']} s"
