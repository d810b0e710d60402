"""Generates series with seasons of given lengths (a day and a week), for training together with user data."""

from __future__ import annotations

import numpy as np

from fncast.series.window import Float64Array
from model_service.training.generated.series_parts import memory_noise, season_shape, trend, unit_noise

# The mean number of days between holidays.
HOLIDAY_EVERY = 60


def generate_seasonal(count: int, length: int, day: int, week: int, seed: int) -> list[Float64Array]:
    """`count` series of `length` readings with a season of `day` steps and, where `week` is longer, one of `week`.

    Repeatable by seed. Each series is (length,) float64.
    """
    rng = np.random.default_rng(seed)
    return [_seasonal(rng, length, day, week) for _ in range(count)]


def _seasonal(rng: np.random.Generator, length: int, day: int, week: int) -> Float64Array:
    """One series: a weekly plan with holidays and a varying amplitude, plus level, trend and noise.

    Half of the series are exponentiated, so that everything grows with the level. Some have an outage.
    """
    days = -(-length // day) + 2
    plan = _plan(rng, day, max(1, week // day))
    grid = plan[(np.arange(days) + rng.integers(len(plan))) % len(plan)]
    if rng.random() < 0.5:  # the shape of the day changes slowly
        turn = np.linspace(0, rng.uniform(0, 1), days)[:, np.newaxis]
        grid = grid * (1 - turn) + turn * grid.std() * rng.uniform(0.3, 1) * season_shape(rng, day)
    sizes = rng.choice([0.0, 0.05, 0.15]) * memory_noise(rng, days, rng.choice([0.0, 0.5, 0.9]))
    grid = grid * (1 + 0.7 * sizes[:, np.newaxis])
    for _ in range(rng.poisson(days / HOLIDAY_EVERY)):
        at = int(rng.integers(days))
        holiday = rng.uniform(0.3, 1.0) * plan[rng.integers(len(plan))] + rng.normal(0, 0.4)
        grid[at : at + int(rng.integers(1, 3))] = holiday
    start = int(rng.integers(day))
    level = rng.choice([0.0, 0.1, 0.3, 0.8]) * memory_noise(rng, days, rng.choice([0.5, 0.8, 0.95])).repeat(
        day
    )
    if rng.random() < 0.5:  # the level changes over the day instead of at midnight
        level = np.convolve(np.pad(level, day, "edge"), np.ones(day) / day, "same")[day:-day]
    memory = rng.choice([0.5, 0.8, 0.9, 0.97])
    values = (
        (grid.ravel() + level)[start : start + length]
        + rng.choice([0.0, 1.0, 3.0]) * trend(rng, length)
        + rng.choice([0.03, 0.1, 0.2, 0.4]) * memory_noise(rng, length, memory) * np.sqrt(1 - memory**2)
        + rng.choice([0.01, 0.03, 0.1]) * unit_noise(rng, length)
    )
    if rng.random() < 0.5:
        values = np.exp(rng.uniform(0.1, 0.6) * np.clip(values, -8, 8))
    if rng.random() < 0.1:
        at = int(rng.integers(length))
        values[at : at + int(rng.integers(2, max(3, day)))] = values.min()
    return np.asarray(values)


def _plan(rng: np.random.Generator, day: int, days: int) -> Float64Array:
    """The deviations of a week from its level: (days, day). Two of seven days differ from the others."""
    shape = season_shape(rng, day)
    plan = np.tile(shape, (days, 1))
    if days == 1:
        return plan
    off = (rng.integers(days) + np.arange(max(1, round(days * 2 / 7)))) % days
    if rng.random() < 0.8:
        likeness = rng.uniform(0, 1)
        rest = likeness * shape + (1 - likeness) * season_shape(rng, day)
        plan[off] = rng.uniform(0.4, 1.1) * rest + rng.normal(0, 0.5)
    if rng.random() < 0.5:  # every day differs a little
        plan = plan * rng.uniform(0.85, 1.15, size=(days, 1)) + rng.normal(0, 0.1, size=(days, 1))
    return plan
