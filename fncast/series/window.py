"""The window of readings that a model gets: the same preparation for training and for events."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

# A window of which more is missing says more about the bridging than about the series.
MAX_MISSING_SHARE = 0.5
# The squares of differences of such readings, as a standard deviation sums them, stay below float32's 3.4e38.
MAX_MAGNITUDE = 1e18

_READINGS = frozenset((int, float, type(None)))
_NUMBERS = (int, float, np.floating, np.integer)
_LISTS = frozenset((list, tuple))


class InvalidWindow(ValueError):
    """Readings that no model can take; the text says which reading is wrong and why."""


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of a batch of events; `good` names the events they belong to, `rejected` the others."""

    values: Float64Array  # (len(good), steps), oldest reading first
    filled: list[int]  # bridged readings per window
    good: list[int]  # positions in the batch, ascending
    rejected: dict[int, InvalidWindow]  # by position in the batch


def prepare(values: Sequence[float | None], steps: int) -> tuple[Float64Array, int]:
    """The last `steps` readings, oldest first, and how many of them were missing and are now bridged.

    values: numbers or None, a missing reading; what stands before the last `steps` is not looked at.
    Returns a (steps,) float64 array. Raises InvalidWindow that names position and reading.
    """
    skipped = _check_length(values, steps)
    readings = values[skipped:] if skipped else values
    numbers = [
        math.nan if reading is None else _number(reading, position)
        for position, reading in enumerate(readings, start=skipped)
    ]
    return bridge(np.array(numbers, dtype=np.float64))


def bridge(window: Float64Array) -> tuple[Float64Array, int]:
    """`window` with its gaps (NaN) bridged linearly, edges by the nearest reading, and how many there were.

    window: (steps,) float64. Returns it unchanged where nothing is missing, else a copy. Raises InvalidWindow
    where more than MAX_MISSING_SHARE of it is missing."""
    missing = np.isnan(window)
    gaps = int(missing.sum())
    if gaps == 0:
        return window, 0
    if gaps > MAX_MISSING_SHARE * window.size:
        most = int(MAX_MISSING_SHARE * window.size)
        raise InvalidWindow(f"{gaps} of the last {window.size} values are null; at most {most} may be")
    bridged = window.copy()
    bridged[missing] = np.interp(np.flatnonzero(missing), np.flatnonzero(~missing), window[~missing])
    return bridged, gaps


def fillable(values: Float64Array, steps: int) -> int:
    """How many of a series' missing readings (NaN) lie in a window of `steps` readings that `bridge` would fill."""
    if len(values) < steps:
        return 0
    missing = np.isnan(values)
    before = np.concatenate(([0], np.cumsum(missing)))
    fits = before[steps:] - before[:-steps] <= MAX_MISSING_SHARE * steps  # by the window's first reading
    fitting = np.concatenate(([0], np.cumsum(fits)))
    at = np.flatnonzero(missing)
    first, last = np.maximum(at - steps + 1, 0), np.minimum(at, len(fits) - 1)
    return int((fitting[last + 1] > fitting[first]).sum())


def prepare_batch(
    batch: Sequence[Sequence[float | None]], steps: int, *, are_checked: bool = False
) -> Windows:
    """`prepare` for each of a batch of events; one that fails is in `rejected` and harms no other.

    are_checked: that each is a list of nothing but float and None is known."""
    plain = [position for position, values in enumerate(batch) if _is_plain(values, steps, are_checked)]
    table = _table([batch[position] for position in plain], steps)
    sound: list[bool] = np.all(np.abs(table) <= MAX_MAGNITUDE, axis=1).tolist()  # not so a gap, which is NaN
    if len(table) == len(batch) and all(sound):
        return Windows(table, [0] * len(batch), list(range(len(batch))), {})
    ready = {position: row for position, row, is_sound in zip(plain, table, sound, strict=False) if is_sound}
    windows: list[Float64Array] = []
    filled: list[int] = []
    good: list[int] = []
    rejected: dict[int, InvalidWindow] = {}
    for position, values in enumerate(batch):
        window, gaps = ready.get(position), 0
        if window is None:
            try:
                window, gaps = prepare(values, steps)
            except InvalidWindow as error:
                rejected[position] = error
                continue
        windows.append(window)
        filled.append(gaps)
        good.append(position)
    stacked = np.stack(windows) if windows else np.empty((0, steps), dtype=np.float64)
    return Windows(stacked, filled, good, rejected)


def shift(windows: Float64Array) -> tuple[Float32Array, Float64Array]:
    """Windows as differences from their last reading, and that reading: add it to what a model answers.

    windows: (batch, steps). Returns (batch, steps) float32 and (batch, 1) float64. Taken in float64, it keeps
    the ones of a counter at 10^12, of which float32 would leave nothing."""
    levels = windows[:, -1:]
    return (windows - levels).astype(np.float32), levels


def floor_of(windows: Float64Array) -> Float64Array:
    """What forecasts do not fall below: 0 for a window that never was negative, else -inf.

    windows: (batch, steps). Returns (batch,)."""
    return np.where(windows.min(axis=1, initial=np.inf) >= 0, 0.0, -np.inf)


def _is_plain(values: Sequence[float | None], steps: int, are_checked: bool) -> bool:
    """A list that is long enough, whose last readings are of types that are read as they are meant: True would be
    taken for 1, by numpy "1" for a number."""
    if type(values) not in _LISTS or len(values) < steps or steps < 1:
        return False
    return are_checked or _READINGS.issuperset(map(type, values if len(values) == steps else values[-steps:]))


def _table(plain: Sequence[Sequence[float | None]], steps: int) -> Float64Array:
    """The last readings of each as a row, gaps as NaN; empty where one holds an integer beyond float64."""
    rows = [values if len(values) == steps else values[-steps:] for values in plain]
    pack = struct.Struct(f"{steps}d").pack
    try:
        try:
            packed = bytearray().join([pack(*row) for row in rows])
            return np.frombuffer(packed, dtype=np.float64).reshape(-1, steps)
        except struct.error:  # a gap; numpy takes None for NaN, and three times as long
            return np.array(rows, dtype=np.float64).reshape(-1, steps)
    except OverflowError:
        return np.empty((0, steps), dtype=np.float64)


def _check_length(values: Sequence[float | None], steps: int) -> int:
    """How many leading readings are not part of the window. Raises InvalidWindow."""
    if steps < 1:
        raise ValueError(f"a window needs at least one step, not {steps}")
    if isinstance(values, str | bytes) or not isinstance(values, Sequence | np.ndarray):
        raise InvalidWindow(f"values must be a list of numbers, not {_short(values)}")
    if len(values) < steps:
        raise InvalidWindow(f"too few values: {len(values)}, the model needs {steps}")
    return len(values) - steps


def _number(reading: object, position: int) -> float:
    """`reading` as a float. Raises InvalidWindow that names it."""
    if type(reading) is float and -MAX_MAGNITUDE <= reading <= MAX_MAGNITUDE:  # the most of them, at once
        return reading
    if isinstance(reading, bool) or not isinstance(reading, _NUMBERS):
        raise InvalidWindow(f"values[{position}] is not a number: {_short(reading)}")
    try:
        number = float(reading)
    except OverflowError:
        number = float("inf") if reading > 0 else float("-inf")
    if not math.isfinite(number):
        raise InvalidWindow(f"values[{position}] is not finite: {_short(reading)}")
    if abs(number) > MAX_MAGNITUDE:
        raise InvalidWindow(
            f"values[{position}] is {_short(reading)}: beyond ±{MAX_MAGNITUDE:g}, too large for float32 models"
        )
    return number


def _short(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return "an integer of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."
