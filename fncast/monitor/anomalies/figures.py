"""The figures that the detector watches: errors of forecasts, alone and over several readings, and level moves."""

from __future__ import annotations

from typing import NamedTuple

# An error is divided by the sum of the mean error and this share of the band on its side of the median.
BAND_SHARE = 0.25
# Each rate is the weight of a new value in an exponential mean. This rate is for the mean error.
ERROR_RATE = 0.005
# Larger scaled errors count as this much in means, so that one spike does not last.
LARGEST_IN_MEANS = 20.0
LARGEST_IN_MEAN_ERROR = 5.0
# For the figures bias, spread and drift.
BIAS_RATE = 0.25
SPREAD_RATE = 0.06
DRIFT_RATE = 0.2
# Evidence for a shift or drift is the sum of how far scaled errors on one side exceed USUAL_ERROR. A single error
# counts as at most LARGEST_EVIDENCE.
USUAL_ERROR = 0.7
LARGEST_EVIDENCE = 4.0
# The move of the level is the distance of two means of the readings. The other rates are for the mean move.
SHORT_LEVEL_RATE = 0.05
LONG_LEVEL_RATE = 0.01
MOVE_RATE = 0.001
EARLY_MOVE_RATE = 0.02
EARLY_READINGS = 240
_TINY = 1e-300


class Expectation(NamedTuple):
    """What a forecast predicts for one reading: the median, and the ends of the band."""

    expected: float
    low: float
    high: float

    def error_scale(self, error: float) -> float:
        """A part of the band on the side of `error`; 0 if the quantiles are not in order."""
        side = self.high - self.expected if error >= 0 else self.expected - self.low
        return BAND_SHARE * side if side > 0.0 else 0.0


def _limited(number: float, limit: float) -> float:
    """The number, cut at -limit and limit; -limit for NaN."""
    return limit if number > limit else number if number > -limit else -limit


def _size_in_mean(size: float, scale: float, is_first: bool) -> float:
    """The size of an error in the mean error: cut at LARGEST_IN_MEAN_ERROR scales, except for the first error."""
    return size if is_first or size < LARGEST_IN_MEAN_ERROR * scale else LARGEST_IN_MEAN_ERROR * scale


class DetectorFigures:
    """The figures of one series. `update` returns them, in the order of NAMES, each at least 0.

    error: scaled error of the last forecast. bias, spread: its mean and the mean of its size. drift: mean of the scaled
    error of the first forecast. move: of the level, relative to its usual moves. evidence: for a shift or drift.
    """

    NAMES = ("error", "bias", "spread", "drift", "move", "evidence")

    __slots__ = (
        "_above",
        "_below",
        "_bias",
        "_drift",
        "_far_error",
        "_long_level",
        "_mean_error",
        "_move",
        "_readings",
        "_short_level",
        "_spread",
    )

    def __init__(self) -> None:
        self._readings = 0
        self._mean_error = self._far_error = 0.0
        self._bias = self._spread = self._drift = 0.0
        self._above = self._below = 0.0
        self._short_level = self._long_level = self._move = 0.0

    def update(self, value: float, near: Expectation, far: Expectation) -> tuple[float, ...]:
        """The figures at a reading.

        near: by the last forecast before the reading. far: by the first that includes it, which may be the same.
        """
        is_first = self._readings == 0
        self._readings += 1
        rate = 1.0 if is_first else ERROR_RATE
        error, far_error = value - near.expected, value - far.expected
        scale = near.error_scale(error) + self._mean_error + 1e-9 * abs(near.expected) + _TINY
        far_scale = far.error_scale(far_error) + self._far_error + 1e-9 * abs(far.expected) + _TINY
        size, far_size = abs(error), abs(far_error)
        self._mean_error += rate * (_size_in_mean(size, scale, is_first) - self._mean_error)
        self._far_error += rate * (_size_in_mean(far_size, far_scale, is_first) - self._far_error)

        scaled = _limited(error / scale, LARGEST_IN_MEANS)
        self._bias += BIAS_RATE * (scaled - self._bias)
        self._spread += SPREAD_RATE * (abs(scaled) - self._spread)
        self._drift += DRIFT_RATE * (_limited(far_error / far_scale, LARGEST_IN_MEANS) - self._drift)
        evidence = _limited(scaled, LARGEST_EVIDENCE)
        above, below = self._above + evidence - USUAL_ERROR, self._below - evidence - USUAL_ERROR
        self._above = above = above if above > 0.0 else 0.0
        self._below = below = below if below > 0.0 else 0.0
        return (
            size / scale,
            abs(self._bias),
            self._spread,
            abs(self._drift),
            self._moved(value, is_first),
            above if above > below else below,
        )

    def _moved(self, value: float, is_first: bool) -> float:
        """How far the level has moved recently, relative to its usual moves."""
        if is_first:
            self._short_level = self._long_level = value
        self._short_level += SHORT_LEVEL_RATE * (value - self._short_level)
        self._long_level += LONG_LEVEL_RATE * (value - self._long_level)
        move = abs(self._short_level - self._long_level)
        rate = EARLY_MOVE_RATE if self._readings < EARLY_READINGS else MOVE_RATE
        self._move += rate * (move - self._move)
        return move / (self._move + _TINY) if self._move else 0.0

    def state(self) -> list[float]:
        """The state as numbers, for `restored`."""
        return [getattr(self, name) for name in self.__slots__]

    @classmethod
    def restored(cls, state: list[float]) -> DetectorFigures:
        """The figures with the state that `state` returned."""
        figures = cls()
        for name, number in zip(cls.__slots__, state, strict=True):
            setattr(figures, name, number)
        figures._readings = int(figures._readings)
        return figures
