"""Prepares the windows of a batch of events for a model."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fncast.series.window import (
    MAX_MAGNITUDE,
    MAX_MISSING_SHARE,
    MIN_HISTORY,
    Float64Array,
    InvalidWindow,
    bridge,
    keep_gaps,
    prepare,
)
from fncast.series.window_sizes import next_window, window_for

_READINGS = frozenset((int, float, type(None)))
_LISTS = frozenset((list, tuple))


@dataclass(frozen=True, slots=True)
class WindowBatch:
    """The windows of a batch of events, and the errors of rejected events."""

    values: Float64Array  # (len(good), steps), oldest reading first; NaN for a missing one if gaps are kept
    filled: list[int]  # missing readings of each window, after its first known one
    good: list[int]  # the position of each window's event in the batch, ascending
    rejected: dict[int, InvalidWindow]  # by position in the batch


def prepare_batch(
    batch: Sequence[Sequence[float | None]],
    steps: int,
    *,
    are_checked: bool = False,
    is_sparse: bool = False,
) -> WindowBatch:
    """Prepare the windows of a batch of events, as `prepare`. Wrong events are in `rejected`.

    are_checked: the caller guarantees that each element is a list of float and None only.
    """
    least = 1 if is_sparse else steps
    plain = [
        position for position, values in enumerate(batch) if _is_plain(values, least, steps, are_checked)
    ]
    table = _table([batch[position] for position in plain], steps)
    sound: list[bool] = np.all(
        np.abs(table) <= MAX_MAGNITUDE, axis=1
    ).tolist()  # False for a gap, which is NaN
    if len(table) == len(batch) and all(sound):
        return WindowBatch(table, [0] * len(batch), list(range(len(batch))), {})
    gaps = sparse_gaps(table) if is_sparse else np.where(sound, 0, -1)
    ready = {
        position: (row, count)
        for position, row, count in zip(plain, table, gaps.tolist(), strict=False)
        if count >= 0
    }
    if len(ready) == len(batch):
        return WindowBatch(table, gaps.tolist(), list(range(len(batch))), {})

    def prepared(position: int) -> tuple[Float64Array, int]:
        found = ready.get(position)
        return prepare(batch[position], steps, is_sparse=is_sparse) if found is None else found

    return _collect(len(batch), steps, prepared)


def prepare_rows(
    table: Float64Array, lengths: NDArray[np.int64], steps: int, *, is_sparse: bool = False
) -> WindowBatch:
    """As `prepare_batch`, for windows that are rows of a table.

    table: (batch, width), NaN for a missing reading. lengths: (batch,), readings of each window; a shorter window
    is at the end of its row.
    """
    width = table.shape[1]
    last = table[:, max(width - steps, 0) :]
    is_large: NDArray[np.bool_] = np.any(np.abs(last) > MAX_MAGNITUDE, axis=1)
    if width >= steps and not (is_large.any() or np.isnan(last).any() or (lengths < steps).any()):
        return WindowBatch(last, [0] * len(table), list(range(len(table))), {})
    if is_sparse:
        padded = np.full((len(table), steps), np.nan)
        padded[:, steps - last.shape[1] :] = last
        gaps = np.where(is_large, -1, sparse_gaps(padded))
        if (gaps >= 0).all():
            return WindowBatch(padded, gaps.tolist(), list(range(len(table))), {})

    def prepared(position: int) -> tuple[Float64Array, int]:
        if is_sparse and not is_large[position]:
            return keep_gaps(padded[position], steps)
        if lengths[position] >= steps and not is_large[position]:
            return bridge(last[position])
        values = table[position, width - lengths[position] :].tolist()
        readings = [None if math.isnan(value) else value for value in values]
        return prepare(readings, steps, is_sparse=is_sparse)

    return _collect(len(table), steps, prepared)


def sparse_gaps(table: Float64Array) -> NDArray[np.int64]:
    """The number of missing readings of each window as `keep_gaps` counts them; -1 for a window that it rejects.

    table: (batch, width), NaN for a missing reading. Returns (batch,).
    """
    known = np.abs(table) <= MAX_MAGNITUDE
    history = known.sum(axis=1)
    length = table.shape[1] - known.argmax(axis=1)
    gaps = length - history
    is_wrong = (history < MIN_HISTORY) | (gaps > MAX_MISSING_SHARE * length)
    is_large = ~(known | np.isnan(table)).all(axis=1)
    return np.where(is_wrong | is_large, -1, gaps)


def chosen_sizes(
    table: Float64Array, sizes: Sequence[tuple[int, int]], horizon: int | None
) -> NDArray[np.int64]:
    """The window of the size of a model that forecasts each row, as the forecast function chooses it: (batch,).

    table: (batch, width), NaN for a missing reading. sizes, horizon: as in `window_for`.
    """
    lengths = table.shape[1] - (~np.isnan(table)).argmax(axis=1)
    different, at = np.unique(lengths, return_inverse=True)
    chosen = np.array([window_for(sizes, length, horizon) for length in different.tolist()], dtype=np.int64)[
        at
    ]
    for window, _ in sizes:
        larger = next_window(sizes, window)
        rows = np.flatnonzero((chosen == window) & (lengths > window))
        if larger is not None and len(rows):
            chosen[rows[sparse_gaps(table[rows, -window:]) < 0]] = larger
    return chosen


def _collect(count: int, steps: int, prepared: Callable[[int], tuple[Float64Array, int]]) -> WindowBatch:
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
    return WindowBatch(stacked, filled, good, rejected)


def _is_plain(values: Sequence[float | None], least: int, steps: int, are_checked: bool) -> bool:
    """Whether `values` is a list that is long enough and holds only int, float and None, and no NaN.

    numpy would read True as 1 and "1" as a number, and NaN is a missing reading in the table.
    """
    if type(values) not in _LISTS or len(values) < least or steps < 1:
        return False
    if are_checked:
        return True
    last = values if len(values) <= steps else values[-steps:]
    return _READINGS.issuperset(map(type, last)) and not any(
        type(value) is float and math.isnan(value) for value in last
    )


def _table(plain: Sequence[Sequence[float | None]], steps: int) -> Float64Array:
    """The last readings of each list as a row, gaps as NaN; a short list is padded in front with NaN.

    Empty if an integer does not fit into float64.
    """
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
