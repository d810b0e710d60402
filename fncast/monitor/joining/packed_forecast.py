"""A forecast as small integers, without loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fncast.series.window import Float64Array

COLUMNS = 3
# Forecasts are rounded to a few decimals, so most are small integers above a base, divided by a power of ten.
MAX_DIGITS = 9
UNPACKED = MAX_DIGITS + 1
SCALES: Float64Array = np.array([float(10**digits) for digits in range(UNPACKED)])
_SCALES = SCALES.tolist()
# The types of these integers, each with a bound that all numbers of the forecast are below. Other forecasts are kept as
# float64.
_TYPES = ((2**16, np.dtype(np.uint16)), (2**31 - 1, np.dtype(np.int32)))
FLOAT_TYPE = np.dtype(np.float64)
SMALLEST_TYPE = _TYPES[0][1]
# Integers below this are exact in a float64.
EXACT_BELOW = 2**52
_BY_SIZE = {each.itemsize: each for each in (FLOAT_TYPE, *(type_ for _, type_ in _TYPES))}
_ROWS = {size: np.dtype((np.void, COLUMNS * size)) for size in _BY_SIZE}


class PackedForecast(NamedTuple):
    """Low, median and high of each step of a forecast.

    numbers: (steps, COLUMNS) in C order; each is (value * 10 ** digits) - base.
    """

    digits: int
    base: int
    numbers: NDArray[Any]

    def encoded(self) -> tuple[int, int, int, bytes]:
        """The forecast as numbers and bytes, for `decoded_columns`."""
        return self.digits, self.base, self.numbers.itemsize, self.numbers.tobytes()


def decoded_columns(digits: int, base: int, itemsize: int, data: bytes) -> list[list[float]]:
    """The columns of a forecast that was encoded: lows, medians and highs."""
    numbers = as_numbers(itemsize, data).T.astype(np.float64)
    columns: list[list[float]] = ((numbers + base) / _SCALES[digits]).tolist()
    return columns


def as_numbers(itemsize: int, data: bytes) -> NDArray[Any]:
    """Bytes as numbers of this size: (n, COLUMNS)."""
    return np.frombuffer(data, _BY_SIZE[itemsize]).reshape(-1, COLUMNS)


def as_rows(numbers: NDArray[Any]) -> NDArray[np.void]:
    """The rows of numbers in C order as single items: (n,). Indexing them is faster, and keeps the GIL."""
    return numbers.view(_ROWS[numbers.itemsize])[:, 0]


def pack(columns: Sequence[Sequence[float]], digits: int) -> PackedForecast:
    """Pack lows, medians and highs.

    columns: (COLUMNS, steps). digits: the number of decimals to try first, then more; with UNPACKED, keep float64.
    """
    values = np.array(columns, dtype=np.float64)
    for tried in range(digits, UNPACKED):
        scale = _SCALES[tried]
        integers = np.rint(values * scale)
        if (integers / scale == values).all():
            packed = _in_smallest_type(integers, tried)
            if packed is not None:
                return packed
            break
    return PackedForecast(0, 0, np.ascontiguousarray(values.T))


def _in_smallest_type(integers: Float64Array, digits: int) -> PackedForecast | None:
    """The forecast in the smallest of _TYPES; None if its numbers are too large or too far apart."""
    low, high = float(np.minimum.reduce(integers, None)), float(np.maximum.reduce(integers, None))
    if not -EXACT_BELOW < low <= high < EXACT_BELOW:
        return None
    for limit, type_ in _TYPES:
        if high - low < limit:
            return PackedForecast(digits, int(low), (integers - low).T.astype(type_, order="C"))
    return None
