"""Rows of three numbers in little memory, without loss."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

COLUMNS = 3
# Forecasts are rounded to a few decimals. So most rows are integers divided by a power of ten.
MAX_DIGITS = 9
_LIMIT = 2**31 - 1
_NOT_ROUNDED = -1


class PackedRows:
    """Numbers of at most MAX_DIGITS decimals take 4 bytes each if they fit, others 8."""

    __slots__ = ("_data", "_digits")

    def __init__(self, rows: Iterable[tuple[float, float, float]]) -> None:
        values = [value for row in rows for value in row]
        self._digits = _digits(values)
        if self._digits == _NOT_ROUNDED:
            self._data = array("d", values)
        else:
            self._data = array("i", [round(value * 10**self._digits) for value in values])

    def __len__(self) -> int:
        return len(self._data) // COLUMNS

    def __getitem__(self, at: int) -> tuple[float, float, float]:
        first, second, third = self._data[COLUMNS * at : COLUMNS * (at + 1)]
        if self._digits == _NOT_ROUNDED:
            return first, second, third
        scale = 10**self._digits
        return first / scale, second / scale, third / scale

    def state(self) -> tuple[int, bytes]:
        """The state as a number and bytes, for `restored`."""
        return self._digits, self._data.tobytes()

    @classmethod
    def restored(cls, digits: int, data: bytes) -> PackedRows:
        """The rows with the state that `state` returned."""
        rows = cls(())
        rows._digits = digits
        rows._data = array("d" if digits == _NOT_ROUNDED else "i", data)
        return rows


def _digits(values: list[float]) -> int:
    """The fewest decimals that give back all values exactly; _NOT_ROUNDED if there are none."""
    largest = max(map(abs, values), default=0.0)
    for digits in range(MAX_DIGITS + 1):
        scale = 10**digits
        if not largest * scale < _LIMIT:
            return _NOT_ROUNDED
        if all(round(value * scale) / scale == value for value in values):
            return digits
    return _NOT_ROUNDED
