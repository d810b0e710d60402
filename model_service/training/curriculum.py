"""Generated windows beside those of the user's series, so that few of the latter are not learnt by heart."""

from __future__ import annotations

import numpy as np

from model_service.training.dataset import Dataset, Float64Array, Windows
from model_service.training.generator import generate
from model_service.training.seasonal_series import generate_weeks
from model_service.training.settings import TrainingSettings

# The first part of the epochs sees generated windows alone, the others this share of them.
WARM_UP_SHARE = 0.4
GENERATED_SHARE = 0.3
# Sizes of what is generated: enough that none is seen often, little beside the time that training takes.
MAX_COMPANIONS, LEAST_COMPANIONS = 4_000, 100
COMPANIONS_AN_EPOCH = (
    200  # a short training draws few windows: to generate more would take longer than it does
)
COMPANION_READINGS = 1_500_000
# Readings of a series beyond those of one window with its horizon, at most; each of them begins another window.
MAX_WINDOWS_OF_ONE = 1_000


def companions(settings: TrainingSettings) -> list[Float64Array]:
    """Generated series to train on beside a user's: with the seasons that were found, or of all kinds where there are
    none. Repeatable by the settings' seed, and others than the seed makes without anybody's series."""
    shortest = settings.window + settings.horizon
    if settings.seasons:
        day, week = settings.seasons[0], settings.seasons[-1]
        length = shortest + min(2 * week, MAX_WINDOWS_OF_ONE)
        return generate_weeks(_count(length, settings.epochs), length, day, week, settings.seed + 1)
    longest = max(4, settings.window // 2)
    length = shortest + min(10 * longest, MAX_WINDOWS_OF_ONE)
    return [
        one.values for one in generate(_count(length, settings.epochs), length, longest, settings.seed + 1)
    ]


def _count(length: int, epochs: int) -> int:
    most = min(MAX_COMPANIONS, COMPANIONS_AN_EPOCH * epochs, COMPANION_READINGS // length)
    return max(LEAST_COMPANIONS, most)


class Mixture:
    """Windows of `own` and of `generated`, by the number of the epoch, 1 to `epochs`."""

    def __init__(self, own: Dataset, generated: Dataset, epochs: int) -> None:
        self._own, self._generated = own, generated
        self.warm_up = int(WARM_UP_SHARE * epochs)

    def draw(self, rng: np.random.Generator, count: int, epoch: int) -> Windows:
        """`count` windows, shuffled."""
        if epoch <= self.warm_up:
            return self._generated.draw(rng, count)
        generated = int(GENERATED_SHARE * count)
        parts = (self._own.draw(rng, count - generated), self._generated.draw(rng, generated))
        order = rng.permutation(count)
        return Windows(
            *(
                np.concatenate([getattr(part, name) for part in parts])[order]
                for name in ("windows", "targets", "weights")
            )
        )
