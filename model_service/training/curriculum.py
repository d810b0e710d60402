"""Mixes generated windows into training, to prevent overfitting on short series of a user."""

from __future__ import annotations

import numpy as np

from fncast.series.window import Float64Array
from model_service.training.dataset import Dataset, TrainingWindows
from model_service.training.generated.generator import generate, longest_season
from model_service.training.generated.seasonal_series import generate_seasonal
from model_service.training.settings import TrainingSettings

# The share of epochs with generated windows only, and the share of generated windows in the later epochs.
WARM_UP_SHARE = 0.4
GENERATED_SHARE = 0.3
# Limits of the number of generated series: enough variety, but generating must be fast compared with training.
MAX_COMPANIONS, MIN_COMPANIONS = 4_000, 100
COMPANIONS_PER_EPOCH = 200  # few epochs draw few windows
COMPANION_READINGS = 1_500_000
# The most windows of one generated series.
MAX_WINDOWS_OF_ONE = 1_000


def companions(settings: TrainingSettings) -> list[Float64Array]:
    """Generated series to train on besides those of the user.

    They have the seasons in the settings, or are of all kinds if there are none. Repeatable by the seed of the
    settings, but different from the series generated for training without user data.
    """
    shortest = settings.window + settings.horizon
    if settings.seasons:
        day, week = settings.seasons[0], settings.seasons[-1]
        length = shortest + min(2 * week, MAX_WINDOWS_OF_ONE)
        return generate_seasonal(_count(length, settings.epochs), length, day, week, settings.seed + 1)
    longest = longest_season(settings.window)
    length = shortest + min(10 * longest, MAX_WINDOWS_OF_ONE)
    return [
        each.values for each in generate(_count(length, settings.epochs), length, longest, settings.seed + 1)
    ]


def _count(length: int, epochs: int) -> int:
    most = min(MAX_COMPANIONS, COMPANIONS_PER_EPOCH * epochs, COMPANION_READINGS // length)
    return max(MIN_COMPANIONS, most)


class Curriculum:
    """Draws the windows of an epoch: first generated ones only, later mostly those of the user."""

    def __init__(self, users: Dataset, generated: Dataset, epochs: int) -> None:
        self._users, self._generated = users, generated
        self.warm_up = int(WARM_UP_SHARE * epochs)

    def draw(self, rng: np.random.Generator, count: int, epoch: int) -> TrainingWindows:
        """`count` shuffled windows. epoch: from 1."""
        if epoch <= self.warm_up:
            return self._generated.draw(rng, count)
        generated = int(GENERATED_SHARE * count)
        parts = (self._users.draw(rng, count - generated), self._generated.draw(rng, generated))
        order = rng.permutation(count)
        return TrainingWindows(
            *(
                np.concatenate([getattr(part, name) for part in parts])[order]
                for name in ("windows", "targets", "weights")
            )
        )
