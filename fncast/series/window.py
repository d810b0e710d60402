"""Prepares the windows of readings for a model, in the same way for training and for events."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

# A window with a larger share of missing readings is rejected.
MAX_MISSING_SHARE = 0.5
# With this bound, the sum of squared differences in a standard deviation stays below float32's 3.4e38.
MAX_MAGNITUDE = 1e18

_READINGS = frozenset((int, float, type(None)))
_NUMBERS = (int, float, np.floating, np.integer)
_LISTS = frozenset((list, tuple))


class InvalidWindow(ValueError):
    """A model cannot use these readings. The text names the wrong reading and the reason."""


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of a batch of events, and the errors of rejected events."""

    values: Float64Array  # (len(good), steps), oldest reading first
    filled: list[int]  # bridged readings of each window
    good: list[int]  # the position of each window's event in the batch, ascending
    rejected: dict[int, InvalidWindow]  # by position in the batch


def prepare(values: Sequence[float | None], steps: int) -> tuple[Float64Array, int]:
    """The last `steps` readings, oldest first, with gaps bridged, and the number of bridged readings.

    values: numbers, or None for a missing reading. Readings before the last `steps` are ignored.
    Returns a (steps,) float64 array. Raises InvalidWindow, which names position and reading.
    """
    skipped = _check_length(values, steps)
    readings = values[skipped:] if skipped else values
    numbers = [
        math.nan if reading is None else _number(reading, position)
        for position, reading in enumerate(readings, start=skipped)
    ]
    return bridge(np.array(numbers, dtype=np.float64))


def bridge(window: Float64Array) -> tuple[Float64Array, int]:
    """Fill gaps (NaN) by linear interpolation, and gaps at the edges with the nearest reading.

    window: (steps,) float64. Returns the window, unchanged if nothing is missing and else as a copy, and the number of
    filled readings. Raises InvalidWindow if more than MAX_MISSING_SHARE of the window is missing."""
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
    """The number of missing readings (NaN) of a series that are in at least one window that `bridge` can fill.

    values: (readings,) float64. steps: readings in a window."""
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
    """Prepare the windows of a batch of events, as `prepare`. Wrong events are in `rejected`.

    are_checked: the caller guarantees that each element is a list of float and None only."""
    plain = [position for position, values in enumerate(batch) if _is_plain(values, steps, are_checked)]
    table = _table([batch[position] for position in plain], steps)
    sound: list[bool] = np.all(
        np.abs(table) <= MAX_MAGNITUDE, axis=1
    ).tolist()  # False for a gap, which is NaN
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
    """Subtract the last reading from each window. Add it to the model's output afterwards.

    windows: (batch, steps) float64. Returns the differences, (batch, steps) float32, and the last readings, (batch, 1)
    float64. The subtraction in float64 keeps small changes of large readings, which float32 would lose."""
    levels = windows[:, -1:]
    return (windows - levels).astype(np.float32), levels


def floor_of(windows: Float64Array) -> Float64Array:
    """The lower bound of forecasts: 0 for a window without negative readings, else -inf.

    windows: (batch, steps). Returns (batch,)."""
    return np.where(windows.min(axis=1, initial=np.inf) >= 0, 0.0, -np.inf)


def _is_plain(values: Sequence[float | None], steps: int, are_checked: bool) -> bool:
    """Whether `values` is a list that is long enough and holds only int, float and None.

    numpy would read True as 1 and "1" as a number."""
    if type(values) not in _LISTS or len(values) < steps or steps < 1:
        return False
    return are_checked or _READINGS.issuperset(map(type, values if len(values) == steps else values[-steps:]))


def _table(plain: Sequence[Sequence[float | None]], steps: int) -> Float64Array:
    """The last readings of each list as a row, gaps as NaN. Empty if an integer does not fit into float64."""
    rows = [values if len(values) == steps else values[-steps:] for values in plain]
    pack = struct.Struct(f"{steps}d").pack
    try:
        try:
            packed = bytearray().join([pack(*row) for row in rows])
            return np.frombuffer(packed, dtype=np.float64).reshape(-1, steps)
        except struct.error:  # a gap: numpy reads None as NaN, but is slower
            return np.array(rows, dtype=np.float64).reshape(-1, steps)
    except OverflowError:
        return np.empty((0, steps), dtype=np.float64)


def _check_length(values: Sequence[float | None], steps: int) -> int:
    """The number of readings before the window. Raises InvalidWindow."""
    if steps < 1:
        raise ValueError(f"a window needs at least one step, not {steps}")
    if isinstance(values, str | bytes) or not isinstance(values, Sequence | np.ndarray):
        raise InvalidWindow(f"values must be a list of numbers, not {_short(values)}")
    if len(values) < steps:
        raise InvalidWindow(f"too few values: {len(values)}, the model needs {steps}")
    return len(values) - steps


def _number(reading: object, position: int) -> float:
    """`reading` as a float. Raises InvalidWindow, which names it."""
    if type(reading) is float and -MAX_MAGNITUDE <= reading <= MAX_MAGNITUDE:  # fast path
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
    if isinstance(value, bool):
        return str(value).lower()  # as in JSON
    try:
        text = repr(value)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return "an integer of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."
