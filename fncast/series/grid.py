"""Puts readings taken at any times onto a regular grid, and tells what that changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from fncast.series.series import Series
from fncast.series.step import Step

# A wrong date far away would make a grid of any size; this holds a year of one-second readings.
MAX_GRID_READINGS = 32_000_000
# A grid mostly empty is no series: the step found is wrong, or the file holds several series.
MIN_FILLED_SHARE = 0.02

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY_S = 86_400.0


class NoGrid(ValueError):
    """These times are no grid; the text says why and how to mend it."""


@dataclass(frozen=True)
class Mended:
    """What was changed to make readings a regular series; all zero where nothing was."""

    series: str
    readings: int
    out_of_order: int = 0
    exact_repeats: int = 0
    replaced: int = 0  # readings that a later line with the same time replaced
    off_grid: int = 0  # readings moved to the nearest step
    gaps: int = 0
    missing: int = 0  # readings of the grid without a value, in gaps or left empty

    def __bool__(self) -> bool:
        return any(
            (self.out_of_order, self.exact_repeats, self.replaced, self.off_grid, self.gaps, self.missing)
        )

    def __str__(self) -> str:
        parts = (
            (self.out_of_order, "out of order (sorted)"),
            (self.exact_repeats, "exact repeats (dropped)"),
            (self.replaced, "with a time that comes again with another value (the last one counts)"),
            (self.off_grid, "between two steps (moved to the nearest)"),
            (self.missing, f"missing in {self.gaps} gaps, bridged where at least half of a window is there"),
        )
        changes = ", ".join(f"{count} {what}" for count, what in parts if count)
        return f"{self.series}: {self.readings} readings" + (f", {changes}" if changes else "")


def to_grid(
    name: str, times_s: NDArray[np.float64], values: NDArray[np.float64], step: Step | None = None
) -> tuple[Series, Mended]:
    """The readings as a series, sorted and one step apart, and what that changed.

    times_s: (readings,) seconds since 1970 UTC in any order; values: (readings,) with NaN for an empty one.
    Without a step it is the commonest distance; calendar months and years are recognised. Raises NoGrid."""
    count = len(times_s)
    out_of_order = int((np.diff(times_s) < 0).sum())
    if out_of_order:
        order = np.argsort(times_s, kind="stable")  # stable: of equal times the later line stays later
        times_s, values = times_s[order], values[order]
    same_time = np.diff(times_s) == 0
    same_value = (values[1:] == values[:-1]) | (np.isnan(values[1:]) & np.isnan(values[:-1]))
    if same_time.any():
        kept = np.append(~same_time, True)
        times_s, values = times_s[kept], values[kept]
    if len(times_s) < 2:
        raise NoGrid(
            f"series {name!r} has one reading only; two at different times are needed to know the step"
        )

    step_is_found = step is None
    step, index, off_grid = _find_step(times_s) if step is None else _on_step(times_s, step)
    size = int(index[-1]) + 1
    if size > MAX_GRID_READINGS or (size > 100 and len(index) < MIN_FILLED_SHARE * size):
        widest = int(np.argmax(np.diff(times_s)))
        verb = "seems to have" if step_is_found else "was given"
        first, second = (_time(times_s[i]).isoformat() for i in (widest, widest + 1))
        raise NoGrid(
            f"series {name!r} {verb} a step of {_spoken(step)}, but its {len(index)} readings span"
            f" {size} steps, and nothing lies between {first} and {second}: mend a wrong time, or say which"
            " column tells the series apart"
        )
    on_grid = np.full(size, np.nan)
    on_grid[index] = values  # of readings moved to one step the last one counts
    empty = np.isnan(on_grid)
    mended = Mended(
        series=name,
        readings=count,
        out_of_order=out_of_order,
        exact_repeats=int((same_time & same_value).sum()),
        replaced=int((same_time & ~same_value).sum()) + int((np.diff(index) == 0).sum()),
        off_grid=off_grid,
        gaps=int((np.diff(empty.astype(np.int8)) == 1).sum()) + int(empty[0]),
        missing=int(empty.sum()),
    )
    return Series(name, _time(times_s[0]), step, on_grid), mended


def _find_step(times_s: NDArray[np.float64]) -> tuple[Step, NDArray[np.int64], int]:
    """The step, each time's index on its grid, and how many times lie off the grid."""
    distances = np.diff(times_s)
    median = float(np.median(distances))
    if 28 * _DAY_S <= median <= 31 * _DAY_S or 365 * _DAY_S <= median <= 366 * _DAY_S:
        calendar = _calendar(times_s, yearly=median > 31 * _DAY_S)
        if calendar is not None:
            return *calendar, 0
    lengths, counts = np.unique(np.round(distances, 3), return_counts=True)
    step_s = float(lengths[np.argmax(counts)])
    if 2 * counts.max() < len(distances) or step_s <= 0:
        step_s = _fitted_step(times_s, median)
    return _on_step(times_s, Step.seconds(step_s))


def _on_step(times_s: NDArray[np.float64], step: Step) -> tuple[Step, NDArray[np.int64], int]:
    """As `_find_step`, of a step that is known: each time at the nearest one, or in its month or year."""
    if step.period_s is not None:
        position = (times_s - times_s[0]) / step.period_s
        index = np.round(position).astype(np.int64)
        return step, index, int((np.abs(position - index) > 0.01).sum())
    times = [_time(time) for time in times_s]
    months = np.array([t.year * 12 + t.month - 1 for t in times], dtype=np.int64)
    index = months // 12 if step.period == "P1Y" else months
    index -= index[0]
    off_grid = sum(step.after(times[0], int(i)) != time for i, time in zip(index, times, strict=True))
    return step, index, off_grid


def _fitted_step(times_s: NDArray[np.float64], median: float) -> float:
    """The step of times that jitter: the mean distance, rounded to 3 digits where that shifts nothing."""
    steps = float(np.maximum(np.round(np.diff(times_s) / median), 1).sum())
    fitted = float((times_s[-1] - times_s[0]) / steps)
    rounded = float(f"{fitted:.3g}")
    return rounded if abs(rounded - fitted) * steps < 0.5 * rounded else fitted


def _calendar(times_s: NDArray[np.float64], yearly: bool) -> tuple[Step, NDArray[np.int64]] | None:
    """Whole months or years, if every time is the same place in its month (or the last day of it)."""
    times = [_time(time) for time in times_s]
    same_day = len({(t.day, t.timetz()) for t in times}) == 1
    last_days = all((t + timedelta(days=1)).day == 1 for t in times)
    if not (same_day or last_days):
        return None
    months = np.array([t.year * 12 + t.month for t in times], dtype=np.int64)
    months -= months[0]
    if yearly and not (months % 12).any():
        return Step.calendar("P1Y"), months // 12
    if yearly or any(second == first for first, second in pairwise(months)):
        return None
    return Step.calendar("P1M"), months


def _time(seconds: float) -> datetime:
    return _EPOCH + timedelta(seconds=float(seconds))


def _spoken(step: Step) -> str:
    data = step.as_json()
    return str(data["step"]) if "step" in data else f"{data['step_s']} s"
