"""Prepares the windows of readings for a model, in the same way for training and for events."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

# A window with a larger share of missing readings is rejected.
MAX_MISSING_SHARE = 0.5
# With this bound, the sum of squared differences in a standard deviation stays below float32's 3.4e38.
MAX_MAGNITUDE = 1e18
# How a missing reading is written for a model that accepts missing readings. JSON has no NaN, and readings are smaller.
MISSING = 1e20
# The fewest known readings of a window for such a model.
LEAST_HISTORY = 8
# How the text of InvalidWindow begins where more readings would help. The consumer knows functions' reasons by it.
TOO_FEW = "too few values"
# The highest reading of a share in %.
PERCENT = 100.0

_READINGS = frozenset((int, float, type(None)))
_NUMBERS = (int, float, np.floating, np.integer)
_LISTS = frozenset((list, tuple))


class InvalidWindow(ValueError):
    """A model cannot use these readings. The text names the wrong reading and the reason."""


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of a batch of events, and the errors of rejected events."""

    values: Float64Array  # (len(good), steps), oldest reading first; NaN for a missing one if they are sparse
    filled: list[int]  # missing readings of each window, after its first known one
    good: list[int]  # the position of each window's event in the batch, ascending
    rejected: dict[int, InvalidWindow]  # by position in the batch


def prepare(
    values: Sequence[float | None], steps: int, *, is_sparse: bool = False
) -> tuple[Float64Array, int]:
    """The last `steps` readings, oldest first, with gaps bridged, and the number of bridged readings.

    is_sparse: the model accepts missing readings, so gaps stay and fewer readings are enough; see `sparse`.

    values: numbers, or None for a missing reading. Readings before the last `steps` are ignored.
    Returns a (steps,) float64 array. Raises InvalidWindow, which names position and reading.
    """
    skipped = _check_length(values, steps, is_sparse)
    readings = values[skipped:] if skipped else values
    numbers = [
        math.nan if reading is None else _number(reading, position)
        for position, reading in enumerate(readings, start=skipped)
    ]
    window = np.array(numbers, dtype=np.float64)
    return sparse(window, steps) if is_sparse else bridge(window)


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
        raise InvalidWindow(f"{TOO_FEW}: {gaps} of the last {window.size} are null; at most {most} may be")
    bridged = window.copy()
    bridged[missing] = np.interp(np.flatnonzero(missing), np.flatnonzero(~missing), window[~missing])
    return bridged, gaps


def sparse(window: Float64Array, steps: int) -> tuple[Float64Array, int]:
    """The last `steps` readings for a model that accepts missing readings, and the number of missing ones.

    window: (readings,) float64, NaN if missing; a shorter one is padded in front with NaN. Missing readings before the
    first known one do not count: the window is a short history. Raises InvalidWindow for fewer than LEAST_HISTORY known
    readings, or if more than MAX_MISSING_SHARE is missing after the first."""
    last = window[-steps:]
    known = ~np.isnan(last)
    history = int(known.sum())
    if history < LEAST_HISTORY:
        raise InvalidWindow(f"{TOO_FEW}: {history}, the model needs {LEAST_HISTORY}")
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
    batch: Sequence[Sequence[float | None]],
    steps: int,
    *,
    are_checked: bool = False,
    is_sparse: bool = False,
) -> Windows:
    """Prepare the windows of a batch of events, as `prepare`. Wrong events are in `rejected`.

    are_checked: the caller guarantees that each element is a list of float and None only."""
    least = 1 if is_sparse else steps
    plain = [
        position for position, values in enumerate(batch) if _is_plain(values, least, steps, are_checked)
    ]
    table = _table([batch[position] for position in plain], steps)
    sound: list[bool] = np.all(
        np.abs(table) <= MAX_MAGNITUDE, axis=1
    ).tolist()  # False for a gap, which is NaN
    if len(table) == len(batch) and all(sound):
        return Windows(table, [0] * len(batch), list(range(len(batch))), {})
    gaps = _sparse_gaps(table) if is_sparse else np.where(sound, 0, -1)
    ready = {
        position: (row, count)
        for position, row, count in zip(plain, table, gaps.tolist(), strict=False)
        if count >= 0
    }
    if len(ready) == len(batch):
        return Windows(table, gaps.tolist(), list(range(len(batch))), {})

    def prepared(position: int) -> tuple[Float64Array, int]:
        found = ready.get(position)
        return prepare(batch[position], steps, is_sparse=is_sparse) if found is None else found

    return _collect(len(batch), steps, prepared)


def prepare_rows(
    table: Float64Array, lengths: NDArray[np.int64], steps: int, *, is_sparse: bool = False
) -> Windows:
    """As `prepare_batch`, for windows that are rows of a table.

    table: (batch, width), NaN for a missing reading. lengths: (batch,), readings of each window; a shorter window
    stands at the end of its row."""
    width = table.shape[1]
    last = table[:, max(width - steps, 0) :]
    is_large: NDArray[np.bool_] = np.any(np.abs(last) > MAX_MAGNITUDE, axis=1)
    if width >= steps and not (is_large.any() or np.isnan(last).any() or (lengths < steps).any()):
        return Windows(last, [0] * len(table), list(range(len(table))), {})
    if is_sparse:
        padded = np.full((len(table), steps), np.nan)
        padded[:, steps - last.shape[1] :] = last
        gaps = np.where(is_large, -1, _sparse_gaps(padded))
        if (gaps >= 0).all():
            return Windows(padded, gaps.tolist(), list(range(len(table))), {})

    def prepared(position: int) -> tuple[Float64Array, int]:
        if is_sparse and not is_large[position]:
            return sparse(padded[position], steps)
        if lengths[position] >= steps and not is_large[position]:
            return bridge(last[position])
        values = table[position, width - lengths[position] :].tolist()
        readings = [None if math.isnan(value) else value for value in values]
        return prepare(readings, steps, is_sparse=is_sparse)

    return _collect(len(table), steps, prepared)


def _sparse_gaps(table: Float64Array) -> NDArray[np.int64]:
    """The number of missing readings of each window as `sparse` counts them; -1 for a window that it rejects."""
    known = np.abs(table) <= MAX_MAGNITUDE
    history = known.sum(axis=1)
    length = table.shape[1] - known.argmax(axis=1)
    gaps = length - history
    is_wrong = (history < LEAST_HISTORY) | (gaps > MAX_MISSING_SHARE * length)
    is_large = ~(known | np.isnan(table)).all(axis=1)
    return np.where(is_wrong | is_large, -1, gaps)


def _collect(count: int, steps: int, prepared: Callable[[int], tuple[Float64Array, int]]) -> Windows:
    """The windows of a batch. prepared: as `prepare`, by position."""
    windows: list[Float64Array] = []
    filled: list[int] = []
    good: list[int] = []
    rejected: dict[int, InvalidWindow] = {}
    for position in range(count):
        try:
            window, gaps = prepared(position)
        except InvalidWindow as error:
            rejected[position] = error
            continue
        windows.append(window)
        filled.append(gaps)
        good.append(position)
    stacked = np.stack(windows) if windows else np.empty((0, steps), dtype=np.float64)
    return Windows(stacked, filled, good, rejected)


def to_row(values: Sequence[float | None], *, are_checked: bool = False) -> Float64Array:
    """All readings of a window as an array, NaN for a missing one.

    are_checked: the caller guarantees float and None only. Raises InvalidWindow, which names position and reading."""
    if not are_checked:
        values = [
            None if reading is None else _number(reading, position) for position, reading in enumerate(values)
        ]
    try:
        return np.frombuffer(struct.pack(f"{len(values)}d", *values), dtype=np.float64)
    except struct.error:  # a gap: numpy reads None as NaN, but is slower
        return np.array(values, dtype=np.float64)


def shift(windows: Float64Array) -> tuple[Float32Array, Float64Array]:
    """Subtract the last known reading from each window, and write MISSING for missing ones.

    Add it to the model's output afterwards. windows: (batch, steps) float64, NaN if missing. Returns the differences,
    (batch, steps) float32, and the last readings, (batch, 1) float64. The subtraction in float64 keeps small changes of
    large readings, which float32 would lose."""
    levels = windows[:, -1:]
    missing = np.isnan(windows)
    if not missing.any():
        return (windows - levels).astype(np.float32), levels
    latest = windows.shape[1] - 1 - (~missing)[:, ::-1].argmax(axis=1)
    levels = windows[np.arange(len(windows)), latest][:, np.newaxis]
    return np.where(missing, MISSING, windows - levels).astype(np.float32), levels


def floor_of(windows: Float64Array) -> Float64Array:
    """The lower bound of forecasts: 0 for a window without negative readings, else -inf.

    windows: (batch, steps), NaN if missing. Returns (batch,)."""
    return np.where(np.fmin.reduce(windows, axis=1, initial=np.inf) >= 0, 0.0, -np.inf)


def ceiling_of(windows: Float64Array) -> Float64Array:
    """The upper bound of forecasts: 100 for a window from 0 to 100 that reaches exactly 100, a share in %; else inf.

    windows: (batch, steps), NaN if missing. Returns (batch,)."""
    highest = np.fmax.reduce(windows, axis=1, initial=-np.inf)
    return np.where((highest == PERCENT) & (floor_of(windows) == 0), PERCENT, np.inf)


def _is_plain(values: Sequence[float | None], least: int, steps: int, are_checked: bool) -> bool:
    """Whether `values` is a list that is long enough and holds only int, float and None.

    numpy would read True as 1 and "1" as a number."""
    if type(values) not in _LISTS or len(values) < least or steps < 1:
        return False
    return are_checked or _READINGS.issuperset(map(type, values if len(values) <= steps else values[-steps:]))


def _table(plain: Sequence[Sequence[float | None]], steps: int) -> Float64Array:
    """The last readings of each list as a row, gaps as NaN; a short list is padded in front with NaN.

    Empty if an integer does not fit into float64."""
    rows = [values if len(values) == steps else _last(values, steps) for values in plain]
    pack = struct.Struct(f"{steps}d").pack
    try:
        try:
            packed = bytearray().join([pack(*row) for row in rows])
            return np.frombuffer(packed, dtype=np.float64).reshape(-1, steps)
        except struct.error:  # a gap: numpy reads None as NaN, but is slower
            return np.array(rows, dtype=np.float64).reshape(-1, steps)
    except OverflowError:
        return np.empty((0, steps), dtype=np.float64)


def _last(values: Sequence[float | None], steps: int) -> Sequence[float | None]:
    if len(values) > steps:
        return values[-steps:]
    return [math.nan] * (steps - len(values)) + list(values)


def _check_length(values: Sequence[float | None], steps: int, is_sparse: bool) -> int:
    """The number of readings before the window. Raises InvalidWindow."""
    if steps < 1:
        raise ValueError(f"a window needs at least one step, not {steps}")
    if isinstance(values, str | bytes) or not isinstance(values, Sequence | np.ndarray):
        raise InvalidWindow(f"values must be a list of numbers, not {_short(values)}")
    least = LEAST_HISTORY if is_sparse else steps
    if len(values) < least:
        raise InvalidWindow(f"{TOO_FEW}: {len(values)}, the model needs {least}")
    return max(0, len(values) - steps)


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
