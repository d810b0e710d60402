"""Generates series of many kinds, so that a model can be trained without user data.

The functions of the kinds return (length,) float64 readings. longest: the longest season, in steps.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np

from fncast.series.step import Step
from fncast.series.time_series import TimeSeries
from fncast.series.window import Float64Array
from model_service.training.generated.series_parts import memory_noise, season_shape, trend, unit_noise

Kind = Callable[[np.random.Generator, int, int], Float64Array]

START = datetime(2026, 1, 1, tzinfo=UTC)
# Usual lengths of a season: week of days, year of months, day of hours, and parts of them.
USUAL_SEASONS = (4, 5, 6, 7, 8, 10, 12, 12, 24, 24, 24)

# For long windows fewer, longer series are generated. More series do not reduce the error.
MAX_GENERATED_SERIES = 8_000
MAX_GENERATED_READINGS = 2_400_000
# Generated series in an evaluation; more would change the result little.
EVALUATED_SERIES = 300


def generated_size(window: int, horizon: int) -> tuple[int, int]:
    """(number of series, their length) to train a model with this window and horizon."""
    length = 5 * (window + horizon)
    return max(200, min(MAX_GENERATED_SERIES, MAX_GENERATED_READINGS // length)), length


def longest_season(window: int) -> int:
    """The longest season, in steps, of the series that are generated for a model with this window."""
    return max(4, window // 2)


def generate(count: int, length: int, longest: int, seed: int) -> list[TimeSeries]:
    """`count` series of `length` hourly readings with seasons of at most `longest` steps.

    Repeatable by seed. Each series has a random kind, level and scale.
    """
    rng = np.random.default_rng(seed)
    kinds = list(KINDS)
    shares = np.array([KINDS[kind] for kind in kinds])
    chosen = rng.choice(len(kinds), size=count, p=shares / shares.sum())
    series = []
    for number, kind in enumerate(chosen):
        values = _distort(rng, kinds[kind](rng, length, max(4, longest)))
        series.append(TimeSeries(f"generated-{number}", START, Step.seconds(3600.0), values))
    return series


def seasonal(rng: np.random.Generator, length: int, longest: int) -> Float64Array:
    """Trend, drift, season and noise. The amplitude of the season is constant or grows with the level."""
    season = _season(rng, longest)
    shape = season_shape(rng, season)
    swing = shape[(np.arange(length) + rng.integers(season)) % season]
    if rng.random() < 0.4:  # the days of a week differ
        days = rng.uniform(0.6, 1.2, size=7) if rng.random() < 0.5 else np.array([1] * 5 + [0.6, 0.7])
        swing = swing * days[(np.arange(length) // season + rng.integers(7)) % 7]
    level = trend(rng, length) * 10 ** rng.uniform(-1, 1.2)
    noise = unit_noise(rng, length) * rng.choice([0.02, 0.05, 0.1, 0.2, 0.5])
    if rng.random() < 0.5:
        growth = np.exp(level / (np.abs(level).max() + 1e-9) * rng.uniform(0.1, 4))
        return np.asarray(growth * (3 + swing * rng.uniform(0.2, 1)) * (1 + 0.2 * noise))
    return np.asarray(level + swing + noise)


def structural(rng: np.random.Generator, length: int, longest: int) -> Float64Array:
    """Harvey's basic structural model: level and slope are random walks, the season changes slowly, noise is low.

    Half of the series are exponentiated, so that season and noise grow with the level.
    """
    season = _season(rng, longest)
    slope = rng.normal(0, 0.06) + 0.003 * rng.choice([0.0, 1.0]) * np.cumsum(rng.normal(size=length))
    level = np.cumsum(slope + rng.choice([0.03, 0.1, 0.3]) * rng.normal(size=length))
    seasons = -(-length // season)
    change = rng.choice([0.0, 0.03, 0.1]) * rng.normal(size=(seasons, season)).cumsum(axis=0)
    swing = (season_shape(rng, season) * rng.uniform(0.3, 2) + change).ravel()[:length]
    values = level + swing + rng.choice([0.0, 0.05, 0.2]) * unit_noise(rng, length)
    if rng.random() < 0.5:
        return np.asarray(np.exp(rng.uniform(0.05, 0.4) * np.clip(values, -20, 20)))
    return np.asarray(values)


def growing(rng: np.random.Generator, length: int, longest: int) -> Float64Array:
    """Continuing growth: each step adds to or multiplies the level, with a slowly changing rate."""
    rate = rng.normal(0, 1) + rng.uniform(0, 1) * memory_noise(
        rng, length, rng.choice([0.0, 0.5, 0.9])
    ) * rng.choice([0.2, 1.0])
    total = np.cumsum(rate)
    if rng.random() < 0.5:
        return np.asarray(np.exp(total / (np.abs(total).max() + 1e-9) * rng.uniform(0.3, 3)))
    return np.asarray(total)


def compounding(rng: np.random.Generator, length: int, longest: int) -> Float64Array:
    """Business figures: steady exponential or linear growth or decline. Season and noise are proportional to it."""
    season = _season(rng, longest)
    a_season = rng.normal(0.03, 0.06)
    changes = np.cumsum(rng.normal(0, rng.choice([0.0, 0.002, 0.01]), size=length))
    growth = np.clip(a_season / season * np.arange(length) + changes, -6, 6)
    level = np.exp(growth) if rng.random() < 0.7 else 1 + np.abs(growth)
    swing = (season_shape(rng, season) * rng.uniform(0.02, 0.3))[
        (np.arange(length) + rng.integers(season)) % season
    ]
    noise = unit_noise(rng, length) * rng.choice([0.005, 0.01, 0.02, 0.05])
    return np.asarray(level * np.exp(swing + noise))


def wandering(rng: np.random.Generator, length: int, longest: int) -> Float64Array:
    """A random walk or an AR(1) process about a trend."""
    memory = 1.0 if rng.random() < 0.4 else rng.uniform(0.3, 0.98)
    return memory_noise(rng, length, memory) + trend(rng, length) * rng.uniform(0, 10)


def long_wave(rng: np.random.Generator, length: int, longest: int) -> Float64Array:
    """A season that is longer than the window, so that a window shows a slow curve."""
    season = longest * rng.uniform(3, 12)
    phase = 2 * np.pi * (np.arange(length) / season + rng.random())
    wave = np.sin(phase) + rng.uniform(0, 0.5) * np.sin(2 * phase + rng.uniform(0, 6))
    return np.asarray(wave + rng.choice([0.05, 0.1, 0.3]) * unit_noise(rng, length))


def bursty(rng: np.random.Generator, length: int, longest: int) -> Float64Array:
    """Host metrics: a quiet level with random bursts that fade, and heavy tails."""
    starts = rng.random(length) < rng.choice([0.01, 0.03, 0.1])
    heights = starts * rng.lognormal(1.5, rng.uniform(0.3, 1.0), size=length)
    fade = rng.choice([0.0, 0.3, 0.6, 0.9])
    bursts = np.convolve(heights, fade ** np.arange(30))[:length] if fade else heights
    return np.asarray(1 + bursts + rng.choice([0.02, 0.1, 0.3]) * unit_noise(rng, length))


def switching(rng: np.random.Generator, length: int, longest: int) -> Float64Array:
    """Switches between two or three states with different levels and noise."""
    states = rng.integers(2, 4)
    levels = rng.normal(0, 3, size=states)
    noises = rng.uniform(0.02, 0.6, size=states)
    changes = np.cumsum(rng.random(length) < 1 / rng.choice([5, 15, 40, 100]))
    state = rng.integers(states, size=changes[-1] + 1)[changes]
    return np.asarray(levels[state] + noises[state] * unit_noise(rng, length))


def clockwork(rng: np.random.Generator, length: int, longest: int) -> Float64Array:
    """A quiet level with bursts at regular intervals, as timed jobs cause them."""
    season = _season(rng, longest)
    width = int(rng.integers(1, max(2, season // 3)))
    position = (np.arange(length) + rng.integers(season)) % season
    return np.asarray(
        (position < width) * rng.uniform(1, 5) + rng.choice([0.05, 0.15, 0.4]) * unit_noise(rng, length)
    )


def positive_noise(rng: np.random.Generator, length: int, longest: int) -> Float64Array:
    """Log-normal readings with some memory: latencies, request counts, bytes a second."""
    return np.exp(rng.uniform(0.1, 1.0) * memory_noise(rng, length, rng.choice([0.0, 0.3, 0.7, 0.95])))


def counter(rng: np.random.Generator, length: int, longest: int) -> Float64Array:
    """A counter: the sum of non-negative steps, which sometimes falls once, as after a restart."""
    rate = np.maximum(0, seasonal(rng, length, longest) + rng.uniform(0.5, 4))
    total = np.cumsum(rate)
    if rng.random() < 0.2:
        total[int(rng.integers(length // 2, length)) :] -= total[length // 2]
    return total


KINDS: dict[Kind, float] = {
    seasonal: 0.38,
    structural: 0.14,
    compounding: 0.25,
    growing: 0.08,
    wandering: 0.08,
    long_wave: 0.05,
    bursty: 0.10,
    switching: 0.06,
    clockwork: 0.06,
    positive_noise: 0.05,
    counter: 0.06,
}


def _distort(rng: np.random.Generator, values: Float64Array) -> Float64Array:
    """Apply what may happen to any series: spikes, a level shift, limits, rounding, and a random scale and level."""
    length = len(values)
    size = np.abs(values - np.median(values)).mean() + 1e-9
    if rng.random() < 0.25:
        spikes = rng.random(length) < 0.01
        values = values + spikes * rng.normal(0, 6 * size, size=length)
    if rng.random() < 0.15:
        values = values + (np.arange(length) >= rng.integers(length)) * rng.normal(0, 4 * size)
    if rng.random() < 0.1:
        values = np.clip(values, *np.quantile(values, [0.05, rng.choice([0.9, 1.0])]))
    if rng.random() < 0.1:
        values = np.round(values / size * rng.choice([1, 3, 10])) * size
    return np.asarray(
        values * 10 ** rng.uniform(-3, 6) + rng.choice([0.0, 0.0, size]) * 10 ** rng.uniform(0, 4)
    )


def _season(rng: np.random.Generator, longest: int) -> int:
    usual = [season for season in USUAL_SEASONS if season <= longest]
    if usual and rng.random() < 0.6:
        return int(rng.choice(usual))
    return int(rng.integers(4, longest + 1))
