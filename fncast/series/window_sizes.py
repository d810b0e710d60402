"""Which size of a model forecasts a window. The forecast function and evaluations choose by the same rule."""

from __future__ import annotations

from collections.abc import Sequence

# A size forecasts windows of fewer than REACH times its own readings: the next size is better only with more.
REACH = 2


def window_for(sizes: Sequence[tuple[int, int]], readings: int, horizon: int | None) -> int:
    """The window of the size that forecasts a series: its last readings, or all of them after padding.

    sizes: (window, steps of the forecast) of each size, ascending. readings: of the series. horizon: the steps that the
    forecast must have; None for any number.
    """
    for window, ahead in sizes:
        if readings < REACH * window and (horizon is None or horizon <= ahead):
            return window
    return sizes[-1][0]


def next_window(sizes: Sequence[tuple[int, int]], window: int) -> int | None:
    """The window of the next larger size, for a series of which `window` readings are too few."""
    return next((larger for larger, _ in sizes if larger > window), None)
