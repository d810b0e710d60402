"""Kinds of series that the base model is never trained on: created by other rules than those of its generator."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fncast.series.window import Float64Array

Kind = Callable[[np.random.Generator, int], Float64Array]


def queue(rng: np.random.Generator, length: int) -> Float64Array:
    """The waiting time of a queue (Lindley's recursion), whose load changes over the day."""
    load = rng.uniform(0.7, 0.95) * (1 + rng.uniform(0, 0.4) * np.sin(2 * np.pi * np.arange(length) / 24))
    waiting, result = 0.0, np.empty(length)
    for step in range(length):
        waiting = max(0.0, waiting + rng.exponential(load[step]) - rng.exponential(1.0))
        result[step] = waiting
    return result


def tide(rng: np.random.Generator, length: int) -> Float64Array:
    """Two seasons whose lengths are not whole numbers. One modulates the other."""
    at = np.arange(length) + rng.uniform(0, 100)
    first, second = rng.uniform(5, 14), rng.uniform(15, 30)
    wave = np.sin(2 * np.pi * at / first) * (1 + 0.5 * np.sin(2 * np.pi * at / second))
    return np.asarray(10 + 4 * wave + rng.choice([0.1, 0.4]) * rng.normal(size=length))


def thermostat(rng: np.random.Generator, length: int) -> Float64Array:
    """A temperature that a heater holds between two limits, while the outside changes over the day."""
    outside = 5 + 5 * np.sin(2 * np.pi * np.arange(length) / rng.choice([24, 48]))
    inside, is_on, result = 20.0, False, np.empty(length)
    rate = rng.uniform(0.02, 0.06)
    for step in range(length):
        is_on = (inside < 19) or (is_on and inside < 21.5)
        inside += rate * (outside[step] - inside) + (1.2 if is_on else 0.0) + 0.05 * rng.normal()
        result[step] = inside
    return result


def solar(rng: np.random.Generator, length: int) -> Float64Array:
    """Solar power: nothing at night, and clouds that pass by day."""
    day = int(rng.choice([24, 24, 48]))
    sun = np.maximum(0, np.sin(2 * np.pi * np.arange(length) / day) - rng.uniform(-0.2, 0.3))
    clouds, result = 0.0, np.empty(length)
    for step in range(length):
        clouds = 0.9 * clouds + 0.3 * rng.normal()
        result[step] = sun[step] / (1 + np.exp(clouds))
    return 100 * result


def volatile(rng: np.random.Generator, length: int) -> Float64Array:
    """A level whose changes come in clusters (GARCH)."""
    variance, change, result = 1.0, 0.0, np.empty(length)
    for step in range(length):
        variance = 0.05 + 0.15 * change**2 + 0.8 * variance
        change = np.sqrt(variance) * rng.normal()
        result[step] = change
    return 50 + np.asarray(np.cumsum(result) if rng.random() < 0.5 else result)


def adoption(rng: np.random.Generator, length: int) -> Float64Array:
    """Users of something new: S-curves, with fewer on two of seven days."""
    at = np.arange(length)
    users = sum(
        rng.uniform(50, 500) / (1 + np.exp(-(at - rng.uniform(0, length)) / rng.uniform(10, 60)))
        for _ in range(3)
    )
    return np.asarray(
        users * np.where(at % 7 < 5, 1, rng.uniform(0.6, 0.9)) * (1 + 0.03 * rng.normal(size=length))
    )


def demand(rng: np.random.Generator, length: int) -> Float64Array:
    """Intermittent demand: the time between orders and their size are random (Croston's model)."""
    result = np.zeros(length)
    step = 0
    mean = rng.uniform(1.5, 6)
    while step < length:
        result[step] = 1 + rng.poisson(rng.uniform(1, 6))
        step += 1 + int(rng.geometric(1 / mean))
    return result


def backups(rng: np.random.Generator, length: int) -> Float64Array:
    """Disk use in %: it grows, backups fall on every n-th step, and it is cleaned when full."""
    used, result = rng.uniform(20, 80), np.empty(length)
    every = int(rng.integers(6, 25))
    for step in range(length):
        used += rng.uniform(0, 0.6) + (4.0 if step % every == 0 else 0.0)
        if used >= 100:
            used = 100.0
        result[step] = used
        if used >= 100:
            used = rng.uniform(20, 50)
    return result


def retries(rng: np.random.Generator, length: int) -> Float64Array:
    """Errors a step: mostly few, with storms that grow and fade."""
    storm, result = 0.0, np.empty(length)
    for step in range(length):
        storm = 0.75 * storm + (rng.exponential(30) if rng.random() < 0.02 else 0.0)
        result[step] = rng.poisson(1.5 + storm)
    return result


KINDS: tuple[Kind, ...] = (queue, tide, thermostat, solar, volatile, adoption, demand, backups, retries)
COUNTS = ("demand", "retries")
