"""The window of readings that a model gets: the same preparation for training and for events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]
Float64Array = NDArray[np.float64]

# A window of which more is missing says more about the bridging than about the series.
MAX_MISSING_SHARE = 0.5
# The squares of differences of such readings, as a standard deviation sums them, stay below float32's 3.4e38.
MAX_MAGNITUDE = 1e18

_NUMBERS = frozenset((int, float))
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
    window = np.empty(steps, dtype=np.float64)
    for position, reading in enumerate(readings):
        window[position] = np.nan if reading is None else _number(reading, skipped + position)
    return bridge(window)


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


def prepare_batch(batch: Sequence[Sequence[float | None]], steps: int) -> Windows:
    """`prepare` for each of a batch of events; one that fails is in `rejected` and harms no other."""
    whole = _prepare_plain(batch, steps)
    if whole is not None:
        return Windows(whole, [0] * len(batch), list(range(len(batch))), {})
    windows: list[Float64Array] = []
    filled: list[int] = []
    good: list[int] = []
    rejected: dict[int, InvalidWindow] = {}
    for position, values in enumerate(batch):
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


def _prepare_plain(batch: Sequence[Sequence[float | None]], steps: int) -> Float64Array | None:
    """The whole batch at once, where each event has readings enough, all numbers and in bounds; else None."""
    if not _LISTS.issuperset(map(type, batch)):
        return None
    lasts = [values if len(values) == steps else values[-steps:] for values in batch]
    if not lasts or steps < 1 or any(len(last) != steps for last in lasts):
        return None
    # Before numpy sees them: it would take True for 1 and "1" for a number.
    if not _NUMBERS.issuperset(map(type, chain.from_iterable(lasts))):
        return None
    try:
        windows = np.array(lasts, dtype=np.float64)
    except OverflowError:  # an integer of more than 308 digits
        return None
    # NaN and infinities fail the comparison as well.
    return windows if bool((np.abs(windows) <= MAX_MAGNITUDE).all()) else None


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
    if isinstance(reading, bool) or not isinstance(reading, int | float | np.floating | np.integer):
        raise InvalidWindow(f"values[{position}] is not a number: {_short(reading)}")
    try:
        number = float(reading)
    except OverflowError:
        number = float("inf") if reading > 0 else float("-inf")
    if not np.isfinite(number):
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
