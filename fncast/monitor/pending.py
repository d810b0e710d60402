"""The forecasts of one model that wait for readings, in a ring by their first step."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float64Array = NDArray[np.float64]
Int64Array = NDArray[np.int64]

COLUMNS = 3
# Forecasts are rounded to a few decimals, so most are small integers above a base, divided by a power of ten.
MAX_DIGITS = 9
# The types of these integers by what they must be less than. Other forecasts are kept as float64.
_TYPES = ((2**16, np.dtype(np.uint16)), (2**31 - 1, np.dtype(np.int32)))
_FLOAT = np.dtype(np.float64)
_NONE = -(2**62)


class PendingForecasts:
    """Low, median and high of each step of the newest forecasts. A later forecast takes the place of an older one.

    size: how many starts in a row fit. horizon: steps of the longest forecast. newest: the latest start.
    """

    __slots__ = ("_bases", "_data", "_digits", "_lengths", "_scales", "horizon", "newest", "size", "starts")

    def __init__(self, horizon: int, more: int) -> None:
        """more: how many forecasts are kept beyond the horizon."""
        self.horizon = horizon
        self.size = horizon + more
        self.newest = _NONE
        self._digits = 0
        self.starts = array("q", [_NONE]) * self.size
        self._lengths = array("H", [0]) * self.size
        self._bases = array("q", [0]) * self.size
        self._scales = array("d", [1.0]) * self.size
        self._data: NDArray[Any] = np.zeros((self.size, horizon, COLUMNS), dtype=_TYPES[0][1])

    def has(self, start: int) -> bool:
        """Whether there is a forecast with this first step."""
        return self.starts[start % self.size] == start

    def replaced_end(self, start: int) -> int:
        """The last step of the forecast that one with this first step replaces; below every index if there is none."""
        slot = start % self.size
        return self.starts[slot] + self._lengths[slot] - 1

    def add(self, start: int, columns: Sequence[Sequence[float]]) -> None:
        """Add a forecast. columns: lows, medians and highs, at most `horizon` of each."""
        values = np.array(columns, dtype=np.float64).T
        slot = start % self.size
        base, scale = 0, 1.0
        if self._data.dtype is not _FLOAT:
            packed = self._packed(values)
            if packed is None:
                self._widen()
            else:
                base, scale, values = packed
        self._data[slot, : len(values)] = values
        self._bases[slot], self._scales[slot] = base, scale
        self._lengths[slot], self.starts[slot] = len(values), start
        if start > self.newest:
            self.newest = start

    def row(self, start: int, step: int) -> tuple[float, float, float]:
        """Low, median and high of a step of a forecast that is there. step: 0 for the first."""
        slot = start % self.size
        base, scale = self._bases[slot], self._scales[slot]
        low, median, high = self._data[slot, step].tolist()
        return (base + low) / scale, (base + median) / scale, (base + high) / scale

    def covers(self, start: int, index: int) -> bool:
        """Whether there is a forecast with this first step, and it includes `index`."""
        slot = start % self.size
        return self.starts[slot] == start and index - start < self._lengths[slot]

    def encoded(self, start: int) -> tuple[int, float, bool, bytes]:
        """A forecast that is there as numbers and bytes, for `decoded`."""
        slot = start % self.size
        data = _as_written(self._data[slot, : self._lengths[slot]]).tobytes()
        return self._bases[slot], self._scales[slot], self._data.dtype is not _FLOAT, data

    @staticmethod
    def decoded(base: int, scale: float, is_packed: bool, data: bytes) -> list[list[float]]:
        """The columns of a forecast that was encoded."""
        numbers = np.frombuffer(data, np.int32 if is_packed else np.float64).reshape(-1, COLUMNS)
        columns: list[list[float]] = ((numbers.T.astype(np.float64) + base) / scale).tolist()
        return columns

    def mesh(self, indices: Int64Array) -> tuple[NDArray[np.bool_], Float64Array]:
        """The forecasts of each index at each lead.

        indices: (n,). Returns whether there is a forecast, (n, horizon), and low, median and high, (3, n, horizon).
        """
        lead = np.arange(self.horizon)
        start = indices[:, np.newaxis] - lead
        slot = start % self.size
        lengths = np.frombuffer(self._lengths, np.uint16)
        has_forecast = (np.frombuffer(self.starts, np.int64)[slot] == start) & (lead < lengths[slot])
        values = self._data[slot, lead].transpose(2, 0, 1) + np.frombuffer(self._bases, np.int64)[slot]
        return has_forecast, values / np.frombuffer(self._scales)[slot]

    def resized(self, horizon: int, more: int, oldest: int) -> PendingForecasts:
        """A ring for a longer horizon with the same forecasts, without those that end before `oldest`."""
        ring = PendingForecasts(horizon, more)
        for start in sorted(self.starts):
            slot = start % self.size
            if start + self._lengths[slot] > oldest:
                rows = [self.row(start, step) for step in range(self._lengths[slot])]
                ring.add(start, list(zip(*rows, strict=True)))
        return ring

    def _packed(self, values: Float64Array) -> tuple[int, float, Float64Array] | None:
        """The base, the scale, and the integers above the base, without loss. None if there are none.

        Raises the digits and widens the integers if needed.
        """
        low, high = float(values.min()), float(values.max())
        for digits in range(self._digits, MAX_DIGITS + 1):
            scale = float(10**digits)
            if not max(-low, high) * scale < 2**52:
                return None
            integers = np.rint(values * scale)
            if (integers / scale == values).all():
                self._digits = digits
                base = round(low * scale)
                span = round(high * scale) - base
                for limit, type_ in _TYPES:
                    if span < limit:
                        if type_.itemsize > self._data.itemsize:
                            self._data = self._data.astype(type_)
                        return base, scale, integers - base
                return None
        return None

    def _widen(self) -> None:
        """Keep all numbers as float64 from now on."""
        bases, scales = np.frombuffer(self._bases, np.int64), np.frombuffer(self._scales)
        self._data = (self._data + bases[:, np.newaxis, np.newaxis]) / scales[:, np.newaxis, np.newaxis]
        self._bases, self._scales = array("q", [0]) * self.size, array("d", [1.0]) * self.size

    def state(self, settled: int) -> list[Any]:
        """The state as numbers and bytes, for `restored`. settled: steps up to this index are no longer needed."""
        starts = sorted(each for each in self.starts if self.replaced_end(each) > settled and each != _NONE)
        slots = [start % self.size for start in starts]
        begins = [max(0, settled + 1 - start) for start in starts]
        rows = [
            self._data[slot, begin : self._lengths[slot]] for slot, begin in zip(slots, begins, strict=True)
        ]
        return [
            self.horizon,
            self._digits,
            self._data.dtype is not _FLOAT,
            array("q", starts).tobytes(),
            array("H", [self._lengths[slot] for slot in slots]).tobytes(),
            array("q", [self._bases[slot] for slot in slots]).tobytes(),
            array("d", [self._scales[slot] for slot in slots]).tobytes(),
            _as_written(np.concatenate(rows)).tobytes() if rows else b"",
        ]

    @classmethod
    def restored(cls, state: list[Any], more: int, settled: int) -> PendingForecasts:
        """The forecasts with the state that `state` returned."""
        horizon, digits, is_packed, starts, lengths, bases, scales, data = state
        ring = cls(horizon, more)
        ring._digits = digits
        numbers = np.frombuffer(data, np.int32 if is_packed else np.float64).reshape(-1, COLUMNS)
        if not is_packed:
            ring._data = ring._data.astype(np.float64)
        elif len(numbers) and numbers.max() >= _TYPES[0][0]:
            ring._data = ring._data.astype(np.int32)
        at = 0
        for start, length, base, scale in zip(
            array("q", starts), array("H", lengths), array("q", bases), array("d", scales), strict=True
        ):
            slot, begin = start % ring.size, max(0, settled + 1 - start)
            ring._data[slot, begin:length] = numbers[at : at + length - begin]
            at += length - begin
            ring.starts[slot], ring._lengths[slot] = start, length
            ring._bases[slot], ring._scales[slot] = base, scale
            ring.newest = max(ring.newest, start)
        return ring


def _as_written(data: NDArray[Any]) -> NDArray[Any]:
    """Numbers of forecasts in the types of the state: int32 or float64."""
    return data if data.dtype is _FLOAT else data.astype(np.int32)
