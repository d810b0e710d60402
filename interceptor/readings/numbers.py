"""Values of readings as producers write them."""

from __future__ import annotations

from math import isfinite

from interceptor.readings.contract import Skip


def number(raw: object) -> float | Skip:
    """Return a finite number, or why there is none. Booleans are 0 and 1. A string is never a number."""
    if type(raw) is float:
        return raw if isfinite(raw) else Skip.NOT_A_NUMBER
    if isinstance(raw, int):  # bool too
        try:
            return float(raw)
        except OverflowError:
            return Skip.NOT_A_NUMBER
    return Skip.TEXT if isinstance(raw, str) else Skip.NOT_A_NUMBER


def number_in_text(raw: object) -> float | Skip:
    """Like `number`, but a string may contain the number: JSON has no NaN, and often no 64-bit integers."""
    if isinstance(raw, str):
        if len(raw) > 64 or "_" in raw:
            return Skip.TEXT
        try:
            raw = float(raw)
        except ValueError:
            return Skip.TEXT
    return number(raw)
