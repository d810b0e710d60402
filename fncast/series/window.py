"""Prepares the windows of readings for a model, in the same way for training and for events."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fncast.series.short_value import short_value

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

# A window with a larger share of missing readings is rejected.
MAX_MISSING_SHARE = 0.5
# With this bound, the sum of squared differences in a standard deviation stays below float32's 3.4e38.
MAX_MAGNITUDE = 1e18
# How a missing reading is written for a model that accepts missing readings. JSON has no NaN, and readings are smaller.
MISSING = 1e20
# The fewest known readings of a window for such a model.
MIN_HISTORY = 8
# The start of the text of InvalidWindow if more readings would help. The consumer recognises such reasons by it.
TOO_FEW = "too few values"
# The highest reading of a share in %.
PERCENT = 100.0

_NUMBERS = (int, float, np.floating, np.integer)


class InvalidWindow(ValueError):
    """A model cannot use these readings. The text names the wrong reading and the reason."""


def prepare(
    values: Sequence[float | None], steps: int, *, is_sparse: bool = False
) -> tuple[Float64Array, int]:
    """The last `steps` readings, oldest first, with gaps bridged, and the number of bridged readings.

    values: numbers, or None for a missing reading. Readings before the last `steps` are ignored. is_sparse: the model
    accepts missing readings, so gaps stay and fewer readings are enough; see `keep_gaps`.
    Returns a (steps,) float64 array. Raises InvalidWindow, which names position and reading.
    """
    skipped = _check_length(values, steps, is_sparse)
    readings = values[skipped:] if skipped else values
    numbers = [
        math.nan if reading is None else _number(reading, position)
        for position, reading in enumerate(readings, start=skipped)
    ]
    window = np.array(numbers, dtype=np.float64)
    return keep_gaps(window, steps) if is_sparse else bridge(window)


def bridge(window: Float64Array) -> tuple[Float64Array, int]:
    """Fill gaps (NaN) by linear interpolation, and gaps at the edges with the nearest reading.

    window: (steps,) float64. Returns the window, unchanged if nothing is missing and else as a copy, and the number of
    filled readings. Raises InvalidWindow if more than MAX_MISSING_SHARE of the window is missing.
    """
    missing = np.isnan(window)
    gaps = int(missing.sum())
    if gaps == 0:
        return window, 0
    if gaps > MAX_MISSING_SHARE * window.size:
        most = int(MAX_MISSING_SHARE * window.size)
        raise InvalidWindow(f"{TOO_FEW}: {gaps} of the last {window.size} are null; at most {most} may be")
    bridged = window.copy()
    bridged[missing] = np.interp(np.flatnonzero(missing), np.flatnonzero(~missing), window[~missing])
    return bridged, gaps


def keep_gaps(window: Float64Array, steps: int) -> tuple[Float64Array, int]:
    """The last `steps` readings for a model that accepts missing readings, and the number of missing ones.

    window: (readings,) float64, NaN if missing; a shorter one is padded in front with NaN. Missing readings before the
    first known one do not count: the window is a short history. Raises InvalidWindow for fewer than MIN_HISTORY known
    readings, or if more than MAX_MISSING_SHARE is missing after the first.
    """
    last = window[-steps:]
    known = ~np.isnan(last)
    history = int(known.sum())
    if history < MIN_HISTORY:
        raise InvalidWindow(f"{TOO_FEW}: {history}, the model needs {MIN_HISTORY}")
    length = last.size - int(known.argmax())
    gaps = length - history
    if gaps > MAX_MISSING_SHARE * length:
        most = int(MAX_MISSING_SHARE * length)
        raise InvalidWindow(f"{TOO_FEW}: {gaps} of the last {length} are null; at most {most} may be")
    if last.size < steps:
        last = np.concatenate([np.full(steps - last.size, np.nan), last])
    return last, gaps


def fillable(values: Float64Array, steps: int) -> int:
    """The number of missing readings (NaN) of a series that are in at least one window that `bridge` can fill.

    values: (readings,) float64. steps: readings in a window.
    """
    if len(values) < steps:
        return 0
    missing = np.isnan(values)
    before = np.concatenate(([0], np.cumsum(missing)))
    fits = before[steps:] - before[:-steps] <= MAX_MISSING_SHARE * steps  # by the window's first reading
    fitting = np.concatenate(([0], np.cumsum(fits)))
    at = np.flatnonzero(missing)
    first, last = np.maximum(at - steps + 1, 0), np.minimum(at, len(fits) - 1)
    return int((fitting[last + 1] > fitting[first]).sum())


def to_row(values: Sequence[float | None], *, are_checked: bool = False) -> Float64Array:
    """All readings of a window as (readings,) float64, NaN for a missing one.

    are_checked: the caller guarantees float and None only. Raises InvalidWindow, which names position and reading.
    """
    if not are_checked:
        values = [
            None if reading is None else _number(reading, position) for position, reading in enumerate(values)
        ]
    try:
        return np.frombuffer(struct.pack(f"{len(values)}d", *values), dtype=np.float64)
    except struct.error:  # a gap: numpy reads None as NaN, but is slower
        return np.array(values, dtype=np.float64)


def shift(windows: Float64Array) -> tuple[Float32Array, Float64Array]:
    """Subtract the last known reading from each window, and write MISSING for missing readings.

    The caller adds the last readings to the model's output. windows: (batch, steps) float64, NaN if missing. Returns
    the differences, (batch, steps) float32, and the last readings, (batch, 1) float64. The subtraction in float64 keeps
    small changes of large readings, which float32 would lose.
    """
    levels = windows[:, -1:]
    missing = np.isnan(windows)
    if not missing.any():
        return (windows - levels).astype(np.float32), levels
    latest = windows.shape[1] - 1 - (~missing)[:, ::-1].argmax(axis=1)
    levels = windows[np.arange(len(windows)), latest][:, np.newaxis]
    return np.where(missing, MISSING, windows - levels).astype(np.float32), levels


def floor_of(windows: Float64Array) -> Float64Array:
    """The lower bound of forecasts: 0 for a window without negative readings, else -inf.

    windows: (batch, steps), NaN if missing. Returns (batch,).
    """
    return np.where(np.fmin.reduce(windows, axis=1, initial=np.inf) >= 0, 0.0, -np.inf)


def ceiling_of(windows: Float64Array) -> Float64Array:
    """The upper bound of forecasts: 100 for a window from 0 to 100 that reaches exactly 100, a share in %; else inf.

    windows: (batch, steps), NaN if missing. Returns (batch,).
    """
    highest = np.fmax.reduce(windows, axis=1, initial=-np.inf)
    return np.where((highest == PERCENT) & (floor_of(windows) == 0), PERCENT, np.inf)


def clip_forecasts(forecasts: Float64Array, windows: Float64Array) -> Float64Array:
    """The forecasts, (batch, horizon, quantiles), within `floor_of` and `ceiling_of` their windows, (batch, steps)."""
    low, high = floor_of(windows), ceiling_of(windows)
    return np.asarray(np.clip(forecasts, low[:, np.newaxis, np.newaxis], high[:, np.newaxis, np.newaxis]))


def _check_length(values: Sequence[float | None], steps: int, is_sparse: bool) -> int:
    """The number of readings before the window. Raises InvalidWindow."""
    if steps < 1:
        raise ValueError(f"a window needs at least one step, not {steps}")
    if isinstance(values, str | bytes) or not isinstance(values, Sequence | np.ndarray):
        raise InvalidWindow(f"values must be a list of numbers, not {short_value(values)}")
    least = MIN_HISTORY if is_sparse else steps
    if len(values) < least:
        raise InvalidWindow(f"{TOO_FEW}: {len(values)}, the model needs {least}")
    return max(0, len(values) - steps)


def _number(reading: object, position: int) -> float:
    """`reading` as a float. Raises InvalidWindow, which names it."""
    if type(reading) is float and -MAX_MAGNITUDE <= reading <= MAX_MAGNITUDE:  # fast path
        return reading
    if isinstance(reading, bool) or not isinstance(reading, _NUMBERS):
        raise InvalidWindow(f"values[{position}] is not a number: {short_value(reading)}")
    try:
        number = float(reading)
    except OverflowError:
        number = float("inf") if reading > 0 else float("-inf")
    if not math.isfinite(number):
        raise InvalidWindow(f"values[{position}] is not finite: {short_value(reading)}")
    if abs(number) > MAX_MAGNITUDE:
        raise InvalidWindow(
            f"values[{position}] is {short_value(reading)}: beyond ±{MAX_MAGNITUDE:g}, too large for float32 models"
        )
    return number
