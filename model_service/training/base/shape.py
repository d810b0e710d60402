"""The shapes of the base model: its two windows, its horizon, its quantiles and its lags."""

from __future__ import annotations

from dataclasses import dataclass

QUANTILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class Size:
    """One size of the base model: readings in a window, steps of a forecast, and the steps that shape it.

    The forecast is interpolated between its knots.
    """

    window: int
    horizon: int
    knots: tuple[int, ...]


SHORT = Size(64, 24, (0, 1, 2, 4, 7, 11, 16, 23))
LONG = Size(512, 96, (0, 1, 2, 4, 8, 14, 24, 40, 64, 95))
# A request is padded in front to the first of these that holds its readings and its horizon.
SIZES = (SHORT, LONG)
# The last readings are searched for SHORT_LAGS. Longer windows are also searched for LONG_LAGS.
RECENT = 64
SHORT_LAGS = (*range(1, 25), 28, 30)
# Common seasons in steps: parts of an hour, a day or a week at a usual step, and a year of weeks or days.
LONG_LAGS = (42, 48, 52, 56, 60, 72, 84, 96, 120, 144, 168, 240, 288, 336)
# Readings that are compared with those one lag before: for short and for long lags.
COMPARED, LONG_COMPARED = 24, 56
# Known readings, and shares of missing ones, at which the width of the band is calibrated.
HISTORY_KNOTS = (8.0, 12.0, 16.0, 24.0, 40.0, 64.0, 160.0, 512.0)
MISSING_KNOTS = (0.0, 0.1, 0.25, 0.5)
# An older season weighs less than the next one, by this factor.
DECAY = 0.3


def history_knots(window: int) -> tuple[float, ...]:
    """The HISTORY_KNOTS of a window."""
    return tuple(knot for knot in HISTORY_KNOTS if knot <= window)


def long_lags(window: int) -> tuple[int, ...]:
    """The long lags of a window: each leaves some readings to compare with."""
    return tuple(lag for lag in LONG_LAGS if lag + LONG_COMPARED <= window)
