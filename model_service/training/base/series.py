"""Generates the series that the base model is trained on: what monitoring sees, at steps from a second to a month.

The functions of the kinds return (length,) float64 readings. length: in steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from fncast.series.window import Float64Array
from model_service.training.base import processes
from model_service.training.base.shape import LONG_LAGS
from model_service.training.generated import generator
from model_service.training.generated.seasonal_series import generate_seasonal
from model_service.training.generated.series_parts import memory_noise, season_shape, unit_noise

Kind = Callable[[np.random.Generator, int], Float64Array]

# (steps of a day, steps of a week) at common steps: a day, 12, 8, 6, 4, 3, 2 and 1 hours, 30, 20, 15, 10 and 5 minutes.
CALENDARS = (
    (7, 7), (2, 14), (3, 21), (4, 28), (6, 42), (8, 56), (12, 84), (24, 168), (24, 168), (24, 168), (48, 336),
    (48, 336), (72, 72), (96, 96), (96, 96), (144, 144), (288, 288), (288, 288), (12, 12), (52, 52), (60, 60),
)  # fmt: skip


def calendar(rng: np.random.Generator, length: int) -> Float64Array:
    """A day, and where it fits a week, with holidays and outages."""
    day, week = CALENDARS[int(rng.integers(len(CALENDARS)))]
    [values] = generate_seasonal(1, length, day, week, int(rng.integers(1 << 31)))
    return values


def any_kind(rng: np.random.Generator, length: int) -> Float64Array:
    """One of the kinds of the generator for user models, with seasons that a short window shows."""
    kinds = list(generator.KINDS)
    shares = np.array(list(generator.KINDS.values()))
    kind = kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))]
    return kind(rng, length, 32)


def kernels(rng: np.random.Generator, length: int) -> Float64Array:
    """A sum or product of random smooth and periodic parts, in the spirit of KernelSynth (Ansari et al. 2024)."""
    at = np.arange(length)
    total = np.zeros(length)
    for _ in range(int(rng.integers(1, 5))):
        part = _part(rng, at)
        total = total * part if rng.random() < 0.3 and total.any() else total + part
    return np.asarray(total + rng.choice([0.0, 0.02, 0.1, 0.3]) * unit_noise(rng, length))


def _part(rng: np.random.Generator, at: NDArray[np.int64]) -> Float64Array:
    kind, length = rng.random(), len(at)
    if kind < 0.45:
        season = int(rng.choice(LONG_LAGS)) if rng.random() < 0.4 else int(rng.integers(3, 33))
        height = rng.uniform(0.3, 1.5)
        return np.asarray(height * season_shape(rng, season)[(at + rng.integers(season)) % season])
    if kind < 0.7:  # random Fourier features of a smooth kernel
        scale = 10 ** rng.uniform(0.7, 2.5)
        frequencies = rng.normal(0, 1 / scale, size=12)
        waves = np.cos(np.outer(frequencies, at) + rng.uniform(0, 6.3, size=(12, 1)))
        return np.asarray(rng.normal(size=12) @ waves * np.sqrt(2 / 12))
    if kind < 0.85:
        return rng.normal() * 3 * at / length
    walk = memory_noise(rng, length, rng.choice([0.9, 0.98, 1.0]))
    return np.asarray(walk / (walk.std() + 1e-9))


def counts(rng: np.random.Generator, length: int) -> Float64Array:
    """Events a step: Poisson or overdispersed, with a season or bursts in the rate, often 0."""
    rate = 10 ** rng.uniform(-1, 1.5) * np.exp(rng.uniform(0, 0.8) * _shape_of_rate(rng, length))
    if rng.random() < 0.4:
        rate = rate * rng.gamma(1 / rng.uniform(0.1, 2), size=length) * rng.uniform(0.1, 2)
    values = rng.poisson(np.clip(rate, 0, 1e6)).astype(np.float64)
    if rng.random() < 0.3:  # intermittent: most steps see nothing
        values *= rng.random(length) < rng.uniform(0.05, 0.6)
    return values


def _shape_of_rate(rng: np.random.Generator, length: int) -> Float64Array:
    if rng.random() < 0.5:
        return calendar(rng, length).clip(-3, 3)
    if rng.random() < 0.5:
        return np.asarray(0.3 * memory_noise(rng, length, rng.choice([0.8, 0.95])))
    return np.zeros(length)


def percentage(rng: np.random.Generator, length: int) -> Float64Array:
    """A share in use, between 0 and 100 %, that may stay at a limit."""
    raw = any_kind(rng, length) if rng.random() < 0.5 else calendar(rng, length)
    raw = (raw - np.median(raw)) / (np.abs(raw - np.median(raw)).mean() + 1e-9)
    return np.asarray(np.clip(rng.uniform(0, 100) + rng.uniform(1, 40) * raw, 0, 100))


def jobs(rng: np.random.Generator, length: int) -> Float64Array:
    """Timed jobs: a load that is on for a while in every period, with some jitter, over a quiet level."""
    period = int(rng.integers(4, 150))
    width = max(1, int(period * rng.uniform(0.05, 0.6)))
    jitter = int(rng.choice([0, 0, 1, 2])) if period > 8 else 0
    values = rng.choice([0.02, 0.1, 0.3]) * unit_noise(rng, length)
    height = rng.uniform(1, 6)
    for start in range(int(rng.integers(period)), length, period):
        start += int(rng.integers(-jitter, jitter + 1))
        if rng.random() < 0.97:
            values[max(0, start) : start + width] += height * rng.uniform(0.8, 1.2)
    return np.asarray(values)


def sensor(rng: np.random.Generator, length: int) -> Float64Array:
    """A slow physical quantity, rounded, sometimes stuck or noisy."""
    values = memory_noise(rng, length, rng.choice([0.95, 0.99, 1.0]))
    values = values + rng.uniform(0, 3) * calendar(rng, length)
    size = np.abs(np.diff(values)).mean() + 1e-9
    values = values + rng.choice([0.0, 0.3, 2.0]) * size * unit_noise(rng, length)
    if rng.random() < 0.4:
        start = int(rng.integers(length))
        values[start : start + int(rng.integers(3, 60))] = values[start]
    if rng.random() < 0.6:
        grid = size * rng.choice([0.5, 2, 5])
        values = np.round(values / grid) * grid
    return np.asarray(values)


def resets(rng: np.random.Generator, length: int) -> Float64Array:
    """A quantity that fills at a changing rate and falls back: disks, queues, counters, sawtooth."""
    rate = np.maximum(0.05, 1 + rng.uniform(0, 0.8) * unit_noise(rng, length))
    if rng.random() < 0.5:
        rate = rate * np.exp(0.5 * calendar(rng, length).clip(-3, 3))
    total = np.cumsum(rate)
    if rng.random() < 0.7:
        limit = rate.mean() * rng.integers(10, 300)
        total = total % limit
    return total


def walk(rng: np.random.Generator, length: int) -> Float64Array:
    """A random walk, some with changing variance or multiplicative."""
    steps = unit_noise(rng, length)
    if rng.random() < 0.4:
        steps = steps * np.exp(memory_noise(rng, length, 0.97) * 0.15)
    values = np.cumsum(steps)
    return np.exp(values * rng.uniform(0.005, 0.05)) if rng.random() < 0.3 else values


def level(rng: np.random.Generator, length: int) -> Float64Array:
    """Noise about a level that shifts at times, with heavy tails or changing variance."""
    values = unit_noise(rng, length)
    if rng.random() < 0.5:
        values = np.exp(values * rng.uniform(0.1, 1.2))
    if rng.random() < 0.5:
        values = values * np.exp(memory_noise(rng, length, 0.98) * 0.1)
    shifts = (rng.random(length) < rng.choice([0.0, 0.005, 0.02])) * rng.normal(0, 4, size=length)
    return np.asarray(values + np.cumsum(shifts))


KINDS: dict[Kind, float] = {
    calendar: 0.25, any_kind: 0.23, kernels: 0.13, counts: 0.08, percentage: 0.06, jobs: 0.05, sensor: 0.04,
    resets: 0.04, walk: 0.08, level: 0.05,
    processes.cycles: 0.03, processes.returning: 0.03, processes.states: 0.03, processes.congestion: 0.02,
    processes.reservoir: 0.03, processes.epidemic: 0.02, processes.sessions: 0.03, processes.leak: 0.02,
    processes.heavy_tails: 0.03,
}  # fmt: skip
# Kinds that no network is trained on: they show how wide the bands of an unseen kind have to be.
UNSEEN: dict[Kind, float] = {
    processes.feedback: 1.0, processes.hunters: 1.0, processes.kicks: 1.0, processes.thresholds: 1.0,
    processes.patchwork: 1.0,
}  # fmt: skip


def generate_one(rng: np.random.Generator, length: int, shares: Mapping[Kind, float] = KINDS) -> Float64Array:
    """One series of a random kind, or a mix of two, with spikes, shifts and limits. shares: of the kinds."""
    values = _unmixed(rng, length, shares)
    if rng.random() < 0.12:  # TSMixup (Ansari et al. 2024)
        share = rng.uniform(0.2, 0.8)
        values = share * _unit(values) + (1 - share) * _unit(_unmixed(rng, length, shares))
    return _disturb(rng, values)


def _unmixed(rng: np.random.Generator, length: int, by_kind: Mapping[Kind, float]) -> Float64Array:
    kinds = list(by_kind)
    shares = np.array(list(by_kind.values()))
    values = kinds[int(rng.choice(len(kinds), p=shares / shares.sum()))](rng, length)
    return np.nan_to_num(values, nan=0.0, posinf=1e9, neginf=-1e9)


def _unit(values: Float64Array) -> Float64Array:
    middle = np.median(values)
    return np.asarray((values - middle) / (np.abs(values - middle).mean() + 1e-9))


def _disturb(rng: np.random.Generator, values: Float64Array) -> Float64Array:
    """What may happen to any series: single spikes, bursts, a shift of level or of variance, and an outage at 0."""
    length = len(values)
    values = values.copy()
    size = np.abs(values - np.median(values)).mean() + 1e-9
    if rng.random() < 0.2:
        spikes = np.flatnonzero(rng.random(length) < rng.choice([0.003, 0.01, 0.03]))
        sign = rng.choice([-1.0, 1.0, 1.0])
        values[spikes] += sign * size * rng.lognormal(1.5, 0.7, size=len(spikes))
    if rng.random() < 0.1:
        values[int(rng.integers(length)) :] += size * rng.normal(0, 4)
    if rng.random() < 0.05:
        middle, at = np.median(values), int(rng.integers(length))
        values[at:] = middle + (values[at:] - middle) * rng.uniform(0.2, 3)
    if rng.random() < 0.04:
        at = int(rng.integers(length))
        values[at : at + int(rng.integers(2, 40))] = values.min()
    return values
