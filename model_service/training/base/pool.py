"""A pool of generated series that is renewed during training. Its content depends only on the seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fncast.series.window import Float64Array
from model_service.training.base.series import UNSEEN, generate_one

# Readings of each series: more than the long window and horizon, so that windows start anywhere.
LENGTH = 800
SERIES = 3_000
# The largest size of a reading after scaling a series to unit size; bursts beyond are cut.
MAX_SCALED = 1e6


def generated(seed: int, number: int) -> Float64Array:
    """Series `number` of a seed: (LENGTH,), with the median 0 and a mean absolute deviation of 1, or all 0."""
    return _unit(generate_one(np.random.default_rng((seed, number)), LENGTH))


def generated_unseen(seed: int, number: int) -> Float64Array:
    """As `generated`, but of a kind that no network is trained on."""
    return _unit(generate_one(np.random.default_rng((seed, number)), LENGTH, UNSEEN))


def _unit(values: Float64Array) -> Float64Array:
    middle = np.median(values)
    size = np.abs(values - middle).mean()
    if size < 1e-12:
        return np.zeros(LENGTH)
    return np.asarray(np.clip((values - middle) / size, -MAX_SCALED, MAX_SCALED))


class SeriesPool:
    """The series first, first + 1, … of a seed. series: (count, LENGTH).

    make: generates a series, (LENGTH,), from the seed and its number.
    """

    def __init__(
        self,
        seed: int,
        first: int = 0,
        count: int = SERIES,
        make: Callable[[int, int], Float64Array] = generated,
    ):
        self._seed, self._next, self._make = seed, first, make
        self.series = np.empty((count, LENGTH))
        self.renew(count)

    def renew(self, count: int) -> None:
        """Replace the oldest series."""
        for _ in range(count):
            self.series[self._next % len(self.series)] = self._make(self._seed, self._next)
            self._next += 1
