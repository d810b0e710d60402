"""Rows of three numbers in little memory, without loss."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

COLUMNS = 3
# Forecasts are rounded to a few decimals. So most rows are integers divided by a power of ten.
MAX_DIGITS = 9
_LIMIT = 2**31 - 1


class PackedRows:
    """Numbers of at most MAX_DIGITS decimals take 4 bytes each if they fit, others 8."""

    __slots__ = ("_data", "_scale")

    def __init__(self, rows: Iterable[tuple[float, float, float]]) -> None:
        values = [value for row in rows for value in row]
        scale = self._scale = _scale(values)
        self._data = array("i", [round(value * scale) for value in values]) if scale else array("d", values)

    def __len__(self) -> int:
        return len(self._data) // COLUMNS

    def __getitem__(self, at: int) -> tuple[float, float, float]:
        data, scale, first = self._data, self._scale or 1, COLUMNS * at
        return data[first] / scale, data[first + 1] / scale, data[first + 2] / scale

    def state(self) -> tuple[int, bytes]:
        """The state as a number and bytes, for `restored`."""
        return self._scale, self._data.tobytes()

    @classmethod
    def restored(cls, scale: int, data: bytes) -> PackedRows:
        """The rows with the state that `state` returned."""
        rows = cls(())
        rows._scale = scale
        rows._data = array("i" if scale else "d", data)
        return rows


def _scale(values: list[float]) -> int:
    """The smallest power of ten that makes integers of 32 bits of all values, without loss; 0 if there is none."""
    largest = max(map(abs, values), default=0.0)
    for digits in range(MAX_DIGITS + 1):
        scale: int = 10**digits
        if not largest * scale < _LIMIT:
            return 0
        if all(round(value * scale) / scale == value for value in values):
            return scale
    return 0
