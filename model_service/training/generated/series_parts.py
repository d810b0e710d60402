"""Random parts of generated series: shapes of seasons, trends and noise."""

from __future__ import annotations

import numpy as np

from fncast.series.window import Float64Array


def season_shape(rng: np.random.Generator, season: int) -> Float64Array:
    """One season (season,) of about unit size: harmonics, random values, or a day with a quiet night."""
    turn = 2 * np.pi * np.arange(season) / season
    kind = rng.random()
    if kind < 0.55:
        shape = np.zeros(season)
        for harmonic in range(1, int(rng.integers(1, 5)) + 1):
            shape += rng.normal(0, 1 / harmonic) * np.sin(harmonic * turn + rng.uniform(0, 6.3))
    elif kind < 0.8:
        shape = rng.normal(size=season)
        if rng.random() < 0.7:
            shape = (np.roll(shape, 1) + 2 * shape + np.roll(shape, -1)) / 2
    else:
        shape = np.maximum(0, np.sin(turn) + rng.uniform(-0.3, 0.6)) ** rng.uniform(0.5, 2)
        shape += rng.uniform(0, 0.6) * np.maximum(0, np.sin(2 * turn + rng.uniform(0, 6.3)))
    return np.asarray((shape - shape.mean()) / (shape.std() + 1e-9))


def trend(rng: np.random.Generator, length: int) -> Float64Array:
    """A line, a line with changing slope, or a smooth drift: (length,), of about unit size over the series."""
    kind = rng.random()
    if kind < 0.25:
        return np.asarray(np.cumsum(memory_noise(rng, length, 0.95)) / length)
    slopes = np.full(length, rng.normal())
    if kind > 0.6:
        for _ in range(int(rng.integers(1, 4))):
            slopes[int(rng.integers(length)) :] = rng.normal()
    return np.asarray(np.cumsum(slopes) / length)


def unit_noise(rng: np.random.Generator, length: int) -> Float64Array:
    """Noise (length,) of unit size: normal, with memory, or with heavy tails."""
    kind = rng.random()
    if kind < 0.5:
        return rng.normal(size=length)
    if kind < 0.75:
        memory = rng.uniform(0.3, 0.95)
        return np.asarray(memory_noise(rng, length, memory) * np.sqrt(1 - memory**2))
    return np.asarray(rng.standard_t(3, size=length) / np.sqrt(3))


def memory_noise(rng: np.random.Generator, length: int, memory: float) -> Float64Array:
    """AR(1) noise (length,). memory: 0 is white noise, 1 a random walk."""
    shocks = rng.normal(size=length) if rng.random() < 0.7 else rng.standard_t(4, size=length)
    if memory == 0:
        return shocks
    if memory == 1:
        return np.cumsum(shocks)
    reach = min(length, int(np.ceil(np.log(1e-3) / np.log(memory))))
    return np.convolve(shocks, memory ** np.arange(reach))[:length]
