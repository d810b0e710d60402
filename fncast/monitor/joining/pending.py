"""The forecasts of one model that wait for readings."""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fncast.monitor.joining.lead_rings import Int64Array, lead_rings
from fncast.monitor.joining.packed_forecast import (
    COLUMNS,
    FLOAT_TYPE,
    SCALES,
    SMALLEST_TYPE,
    UNPACKED,
    PackedForecast,
    as_numbers,
    as_rows,
)
from fncast.series.window import Float64Array

NONE = -(2**62)  # an index before all others
NEAR, FAR = range(2)
_SCALES = SCALES.tolist()
_NO_LEAD = 2**16 - 1


class PendingForecasts:
    """Low, median and high of the newest forecasts, as far as they are needed.

    The measured steps of each forecast are kept until their reading is settled. For each step of the series, the last
    and the first forecast that include it are kept, too: `NEAR` and `FAR`, called the ends.

    size: how many starts in a row fit. horizon: steps of the longest forecast. newest: the latest start. digits: the
    decimals with which to pack the next forecast. Forecasts that start more than `extra` steps after the last settled
    step must not be added.
    """

    __slots__ = (
        "_bases",
        "_data",
        "_digits",
        "_end_starts",
        "_ends",
        "_extra",
        "_lengths",
        "_starts",
        "digits",
        "horizon",
        "newest",
        "size",
    )

    def __init__(self, horizon: int, extra: int) -> None:
        """extra: how many forecasts are kept beyond the horizon."""
        self.horizon = horizon
        self.size = horizon + extra
        self.newest = NONE
        self.digits = 0
        self._extra = extra
        self._starts = array("q", [NONE]) * self.size
        self._lengths = array("H", [0]) * self.size
        self._bases = array("q", [0]) * self.size
        self._digits = array("b", [0]) * self.size
        self._data: NDArray[Any] = np.zeros((lead_rings(horizon, extra).size, COLUMNS), dtype=SMALLEST_TYPE)
        self._end_starts = np.full((2, self.size), NONE)
        self._ends: NDArray[Any] = np.zeros((2, self.size, COLUMNS), dtype=SMALLEST_TYPE)

    def has(self, start: int) -> bool:
        """Whether there is a forecast with this first step."""
        return self._starts[start % self.size] == start

    def add(self, start: int, packed: PackedForecast, settled: int) -> None:
        """Add a forecast of at most `horizon` steps.

        start: index of its first step. settled: steps up to this index are not needed.
        """
        digits, base, numbers = self._fitted(packed)
        slot, length = start % self.size, len(numbers)
        self._starts[slot], self._lengths[slot] = start, length
        self._bases[slot], self._digits[slot] = base, digits
        steps, sizes, offsets, _ = lead_rings(self.horizon, self._extra)
        if start <= settled or length < self.horizon:
            first, end = steps.searchsorted((settled + 1 - start, length)).tolist()
            steps, sizes, offsets = steps[first:end], sizes[first:end], offsets[first:end]
        as_rows(self._data)[offsets + start % sizes] = as_rows(numbers)[steps]
        self._add_ends(start, numbers, max(start, settled + 1))
        if start > self.newest:
            self.newest = start

    def _fitted(self, packed: PackedForecast) -> PackedForecast:
        """The forecast in the type of this ring, which is widened if needed."""
        itemsize = packed.numbers.itemsize
        if self.digits == UNPACKED and itemsize != FLOAT_TYPE.itemsize:
            return PackedForecast(0, 0, (packed.numbers + packed.base) / _SCALES[packed.digits])
        if itemsize == FLOAT_TYPE.itemsize:
            if self.digits != UNPACKED:
                self._unpack()
            return packed
        self.digits = packed.digits
        if itemsize > self._data.itemsize:
            self._data, self._ends = (each.astype(packed.numbers.dtype) for each in (self._data, self._ends))
        return packed

    def _add_ends(self, start: int, numbers: NDArray[Any], first: int) -> None:
        """Keep the steps of a forecast from index `first` on.

        A step is kept as NEAR if no later forecast includes it, and as FAR if no earlier forecast includes it.
        """
        size, end = self.size, start + len(numbers)
        if start > self.newest:
            for begin, stop in self._pieces(first, end):
                slots = slice(begin % size, begin % size + stop - begin)
                self._end_starts[NEAR, slots] = start
                self._ends[NEAR, slots] = numbers[begin - start : stop - start]
        else:
            for index in range(first, end):
                if self._end_starts.item(NEAR, index % size) < start:
                    self._set_end(NEAR, index, start, numbers)
        # An earlier forecast that includes a step includes those before it, too.
        for index in range(end - 1, first - 1, -1):
            if index - self.horizon < self._end_starts.item(FAR, index % size) < start:
                break
            self._set_end(FAR, index, start, numbers)

    def _pieces(self, first: int, end: int) -> list[tuple[int, int]]:
        """The indices from `first` to before `end`, in parts whose slots follow each other."""
        next_turn = first - first % self.size + self.size  # the first index whose slot is 0 again
        return [(first, end)] if end <= next_turn else [(first, next_turn), (next_turn, end)]

    def _set_end(self, which: int, index: int, start: int, numbers: NDArray[Any]) -> None:
        self._end_starts[which, index % self.size] = start
        self._ends[which, index % self.size] = numbers[index - start]

    def forecast_start(self, which: int, index: int) -> int | None:
        """The start of the last or first forecast that includes a step; None if there is none. which: NEAR or FAR."""
        start: int = self._end_starts.item(which, index % self.size)
        return start if index - start < self.horizon and self.has(start) else None

    def forecast_row(self, which: int, index: int) -> tuple[float, float, float]:
        """Low, median and high of a step, by the forecast whose start `forecast_start` returned."""
        slot = index % self.size
        of_start = self._end_starts.item(which, slot) % self.size
        base, scale = self._bases[of_start], _SCALES[self._digits[of_start]]
        low, median, high = self._ends[which, slot].tolist()
        return (base + low) / scale, (base + median) / scale, (base + high) / scale

    def by_lead(self, indices: Int64Array) -> tuple[NDArray[np.bool_], Float64Array]:
        """The forecasts of each index at each measured lead.

        indices: (n,), later than what is settled. Returns whether there is a forecast, (n, leads), and low, median and
        high, (3, n, leads).
        """
        steps, sizes, offsets, _ = lead_rings(self.horizon, self._extra)
        start = indices[:, np.newaxis] - steps
        slot = start % self.size
        lengths = np.frombuffer(self._lengths, np.uint16)
        has_forecast = (np.frombuffer(self._starts, np.int64)[slot] == start) & (steps < lengths[slot])
        rows = as_rows(self._data)[offsets + start % sizes].view(self._data.dtype)
        values = rows.reshape(*start.shape, COLUMNS).transpose(2, 0, 1)
        values = values + np.frombuffer(self._bases, np.int64)[slot]
        return has_forecast, values / SCALES[np.frombuffer(self._digits, np.int8)[slot]]

    def _unpack(self) -> None:
        """Keep all numbers as float64 from now on."""
        _, sizes, offsets, _ = lead_rings(self.horizon, self._extra)
        in_ring = np.arange(len(self._data)) - np.repeat(offsets, sizes)
        # By place in the rings, the latest start up to `newest` that uses it.
        of_data = self.newest - (self.newest - in_ring) % np.repeat(sizes, sizes)
        bases, scales = np.frombuffer(self._bases, np.int64), SCALES[np.frombuffer(self._digits, np.int8)]
        for name, starts in (("_data", of_data), ("_ends", self._end_starts)):
            slots = starts[..., np.newaxis] % self.size
            setattr(self, name, (getattr(self, name) + bases[slots]) / scales[slots])
        self._bases, self._digits = array("q", [0]) * self.size, array("b", [0]) * self.size
        self.digits = UNPACKED

    def resized(self, horizon: int, settled: int) -> PendingForecasts:
        """The same forecasts with room for longer ones. settled: as in `add`."""
        return self.restored([horizon, *self.state(settled)[1:]], self._extra, settled)

    def state(self, settled: int) -> list[Any]:
        """The state as numbers and bytes, for `restored`. settled: as in `add`."""
        every = np.frombuffer(self._starts, np.int64)
        starts = np.sort(every[every + np.frombuffer(self._lengths, np.uint16) - 1 > settled])
        slots = starts % self.size
        lengths = np.frombuffer(self._lengths, np.uint16)[slots]
        positions = self._positions(starts, lengths, settled)
        index = np.arange(settled + 1, max(settled, self.newest + self.horizon - 1) + 1)
        leads = index - self._end_starts[:, index % self.size]
        is_known = leads < self.horizon
        return [
            self.horizon,
            self.digits,
            self._data.itemsize,
            starts.tobytes(),
            lengths.tobytes(),
            np.frombuffer(self._bases, np.int64)[slots].tobytes(),
            np.frombuffer(self._digits, np.int8)[slots].tobytes(),
            as_rows(self._data)[positions].tobytes(),
            np.where(is_known, leads, _NO_LEAD).astype(np.uint16).tobytes(),
            self._ends[:, index % self.size][is_known].tobytes(),
        ]

    def _positions(self, starts: Int64Array, lengths: NDArray[np.uint16], settled: int) -> Int64Array:
        """The places of the measured steps that are not settled in `_data`, forecast by forecast."""
        steps, sizes, offsets, _ = lead_rings(self.horizon, self._extra)
        start = starts[:, np.newaxis]
        is_needed = (start + steps > settled) & (steps < lengths[:, np.newaxis])
        return (offsets + start % sizes)[is_needed]

    @classmethod
    def restored(cls, state: list[Any], extra: int, settled: int) -> PendingForecasts:
        """The forecasts with the state that `state` returned."""
        horizon, digits, itemsize, starts, lengths, bases, digits_of, data, leads, ends = state
        ring = cls(horizon, extra)
        ring.digits = digits
        numbers, end_numbers = as_numbers(itemsize, data), as_numbers(itemsize, ends)
        ring._data, ring._ends = ring._data.astype(numbers.dtype), ring._ends.astype(numbers.dtype)
        first, length = np.frombuffer(starts, np.int64), np.frombuffer(lengths, np.uint16)
        slots = first % ring.size
        np.frombuffer(ring._starts, np.int64)[slots] = first
        np.frombuffer(ring._lengths, np.uint16)[slots] = length
        np.frombuffer(ring._bases, np.int64)[slots] = np.frombuffer(bases, np.int64)
        np.frombuffer(ring._digits, np.int8)[slots] = np.frombuffer(digits_of, np.int8)
        ring.newest = int(first.max(initial=NONE))
        ring._data[ring._positions(first, length, settled)] = numbers
        lead = np.frombuffer(leads, np.uint16).reshape(2, -1)
        index = settled + 1 + np.arange(lead.shape[1])
        which, place = np.nonzero(lead != _NO_LEAD)
        slots = index[place] % ring.size
        ring._end_starts[which, slots] = index[place] - lead[which, place]
        ring._ends[which, slots] = end_numbers
        return ring
