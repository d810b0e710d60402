"""Values of readings as producers write them."""

from __future__ import annotations

from math import isfinite

from interceptor.readings.contract import Skip


def number(raw: object) -> float | Skip:
    """A finite number; booleans are 0 and 1. Texts are no numbers, also if they look like one."""
    if type(raw) is float:
        return raw if isfinite(raw) else Skip.NOT_A_NUMBER
    if isinstance(raw, int):  # bool too
        try:
            return float(raw)
        except OverflowError:
            return Skip.NOT_A_NUMBER
    return Skip.TEXT if isinstance(raw, str) else Skip.NOT_A_NUMBER


def number_in_text(raw: object) -> float | Skip:
    """Like `number`, and a text may hold the number, as where JSON cannot carry NaN or 64 bits."""
    if isinstance(raw, str):
        if len(raw) > 64 or "_" in raw:
            return Skip.TEXT
        try:
            raw = float(raw)
        except ValueError:
            return Skip.TEXT
    return number(raw)
