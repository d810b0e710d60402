"""Finds the seasons of a series: the lags at which its readings repeat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from fncast.series.step import Step
from fncast.series.window import Float64Array

# The most readings that are examined.
MAX_READINGS = 20_000
# A season must repeat at least this often; otherwise it cannot be distinguished from a trend. A calendar week is
# plausible in advance, so fewer are enough.
MIN_REPEATS, MIN_WEEKS = 3, 2
# The least autocorrelation at a season, and its least height above the valley before it.
MIN_CORRELATION = 0.3
MIN_RISE = 0.15
# Of peaks of similar height the first is the season; the others are its multiples.
NEARLY_AS_HIGH = 0.85
# A longer season counts if its autocorrelation exceeds that of the short season by this.
BETTER_BY = 0.05
# The same after removing the level, compared with the lags one short season before and after.
STANDS_OUT_BY = 0.03
MIN_SEASON = 3
# Limits for a day, a week and a year, which are plausible in advance: the least autocorrelation, and its least share of
# that of the highest peak.
MIN_KNOWN_CORRELATION = 0.2
KNOWN_SHARE = 0.5
DAY_S = 86_400.0
YEAR_MONTHS = 12


def find_seasons(values: Float64Array, step: Step | None = None) -> tuple[int, ...]:
    """The lengths of the season and of a longer season, if any, in steps, ascending.

    values: (readings,) float64, NaN if missing. step: if given, a day, a week and a year are tried first.
    """
    known = values[-MAX_READINGS:]
    longest = len(known) // MIN_REPEATS
    if longest < MIN_SEASON or np.isnan(known).mean() > 0.5:
        return ()
    calendar = [lag for lag in _calendar_lags(step) if lag < longest or _fits_as_week(lag, step, len(known))]
    correlation = autocorrelation(known, max([longest, *calendar]) + 1)
    if correlation is None:
        return ()
    usual = [lag for lag in calendar if _repeats(correlation, lag)]
    # A drifting level can hide a daily season.
    if calendar and calendar[0] not in usual and _repeats_about_its_level(known, calendar[0]):
        usual.insert(0, calendar[0])
    peaks = [lag for lag in range(MIN_SEASON, longest) if _is_peak(correlation, lag)]
    highest = max((correlation[lag] for lag in peaks), default=0.0)
    if usual and _height(correlation, usual[0]) >= KNOWN_SHARE * highest:
        first = usual[0]
    elif peaks:
        first = min(lag for lag in peaks if correlation[lag] >= NEARLY_AS_HIGH * highest)
    else:
        return ()
    longer = [
        lag
        for lag in {*usual, 7 * first}
        if first < lag
        and (lag < longest or lag in usual)
        and lag % first == 0
        and _is_better(known, correlation, lag, first)
    ]
    return (first, max(longer, key=lambda lag: correlation[lag])) if longer else (first,)


def missing_for_week(readings: int, step: Step | None) -> int:
    """How many more readings are needed to look for a calendar week; 0 if there are enough, or the step has no week."""
    lags = _calendar_lags(step)
    if step is None or step.period_s is None or not lags or lags[-1] * step.period_s != 7 * DAY_S:
        return 0
    return max(0, MIN_WEEKS * lags[-1] - readings)


def _fits_as_week(lag: int, step: Step | None, readings: int) -> bool:
    """Whether a lag is a calendar week, and `readings` hold MIN_WEEKS of it."""
    is_week = step is not None and step.period_s is not None and lag * step.period_s == 7 * DAY_S
    return is_week and MIN_WEEKS * lag <= readings


def common_seasons(found: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The seasons of at least half of the series, ascending."""
    counts = Counter(season for each in found for season in each)
    return tuple(sorted(season for season, count in counts.items() if 2 * count >= len(found)))


def autocorrelation(values: Float64Array, lags: int) -> Float64Array | None:
    """The autocorrelation at lags 0 to lags - 1, after removing a linear trend and clipping extremes.

    values: (readings,), NaN if missing. Returns (lags,), None for constant readings. Each lag is divided by its
    number of pairs, so that long lags are not damped.
    """
    present = ~np.isnan(values)
    at = np.arange(len(values))
    line = np.polyval(np.polyfit(at[present], values[present] - values[present][0], 1), at)
    rest = np.where(present, values - values[present][0] - line, np.nan)
    middle = np.nanmedian(rest)
    spread = np.nanmean(np.abs(rest - middle))
    if not spread > 0:
        return None
    cut = np.where(present, np.clip((rest - middle) / spread, -5, 5), 0.0)
    cut -= np.where(present, cut[present].mean(), 0.0)
    size = 1 << (2 * len(cut) - 1).bit_length()
    transformed = np.fft.rfft(cut, size)
    pairs_transformed = np.fft.rfft(present.astype(np.float64), size)
    sums = np.fft.irfft(np.abs(transformed) ** 2, size)[:lags]
    pairs = np.fft.irfft(np.abs(pairs_transformed) ** 2, size)[:lags]
    result = sums / np.maximum(pairs, 1.0)
    return np.asarray(result / result[0])


def _is_peak(correlation: Float64Array, lag: int) -> bool:
    """Whether a lag is a local maximum, high enough, and above the valley before it."""
    height = correlation[lag]
    near = max(1, lag // 20)
    around = correlation[max(1, lag - near) : lag + near + 1]
    valley = correlation[max(1, lag // 3) : lag].min()
    return bool(height >= MIN_CORRELATION and height >= around.max() and height - valley >= MIN_RISE)


def _repeats(correlation: Float64Array, lag: int) -> bool:
    """Whether a plausible lag is a season. It need not be a peak, because noise may hide the peak."""
    height = _height(correlation, lag)
    return height >= MIN_KNOWN_CORRELATION and height - _height(correlation, lag // 2, lag // 24) >= MIN_RISE


def _height(correlation: Float64Array, lag: int, near: int | None = None) -> float:
    """The mean autocorrelation around a lag."""
    near = lag // 24 if near is None else near
    return float(correlation[max(1, lag - near) : lag + near + 1].mean())


def _calendar_lags(step: Step | None) -> list[int]:
    """A day and a week, or a year, in steps, if they are whole numbers of steps; ascending."""
    if step is None:
        return []
    if step.period_s is None:
        months = step.months or YEAR_MONTHS
        return [YEAR_MONTHS // months] if YEAR_MONTHS % months == 0 and months < YEAR_MONTHS else []
    lags = [length / step.period_s for length in (DAY_S, 7 * DAY_S)]
    return [int(lag) for lag in lags if lag >= MIN_SEASON and lag == int(lag)]


def _repeats_about_its_level(values: Float64Array, lag: int) -> bool:
    """Whether a plausible lag is a season after removing a drifting level."""
    correlation = autocorrelation(without_level(values, lag), 2 * lag)
    return correlation is not None and _repeats(correlation, lag)


def _is_better(values: Float64Array, correlation: Float64Array, lag: int, first: int) -> bool:
    """Whether a longer lag is a season too: it repeats better than the first season.

    If a drifting level hides this, the lag must stand out from the lags one short season before and after it.
    """
    if correlation[lag] >= correlation[first] + BETTER_BY:
        return True
    still = autocorrelation(without_level(values, lag), lag + first + 1)
    return still is not None and bool(
        still[lag]
        >= max(MIN_CORRELATION, still[lag - first] + STANDS_OUT_BY, still[lag + first] + STANDS_OUT_BY)
    )


def without_level(values: Float64Array, steps: int) -> Float64Array:
    """The readings (readings,) minus their moving mean over `steps`, which removes the level but not such a season."""
    present = ~np.isnan(values)
    values = values - values[present][0]  # keeps the sums precise for large counters
    sums = np.concatenate([[0.0], np.cumsum(np.where(present, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(present)])
    at = np.arange(len(values))
    low = np.clip(at - steps // 2, 0, max(0, len(values) - steps))
    high = np.minimum(low + steps, len(values))
    return np.asarray(values - (sums[high] - sums[low]) / np.maximum(counts[high] - counts[low], 1))
