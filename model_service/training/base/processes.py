"""Generates series of processes that have a state: they return to a mean, switch, fill, spread or wander."""

from __future__ import annotations

import numpy as np

from fncast.series.window import Float64Array
from model_service.training.generated.series_parts import memory_noise, unit_noise


def cycles(rng: np.random.Generator, length: int) -> Float64Array:
    """An autoregression of the second order: cycles whose phase wanders."""
    period, fading = rng.uniform(4, 60), rng.uniform(0.85, 0.995)
    first, second = 2 * fading * np.cos(2 * np.pi / period), -(fading**2)
    noise = unit_noise(rng, length)
    before, now = 0.0, 0.0
    values = np.empty(length)
    for step in range(length):
        before, now = now, first * now + second * before + noise[step]
        values[step] = now
    return np.asarray(values + rng.choice([0.0, 0.5, 2.0]) * unit_noise(rng, length))


def returning(rng: np.random.Generator, length: int) -> Float64Array:
    """A value that returns to a mean, fast or slowly; the mean may change."""
    mean = np.cumsum((rng.random(length) < rng.choice([0.0, 0.01])) * rng.normal(0, 3, size=length))
    values = memory_noise(rng, length, rng.uniform(0.3, 0.99))
    return np.asarray(mean + values / (values.std() + 1e-9))


def states(rng: np.random.Generator, length: int) -> Float64Array:
    """Two or three levels, each held for a random time."""
    levels = rng.normal(0, 1, size=int(rng.integers(2, 4)))
    stay = rng.uniform(0.7, 0.99, size=len(levels))
    noise = rng.choice([0.0, 0.05, 0.3]) * unit_noise(rng, length)
    state, values = 0, np.empty(length)
    for step in range(length):
        if rng.random() > stay[state]:
            state = int(rng.integers(len(levels)))
        values[step] = levels[state]
    return np.asarray(values + noise)


def congestion(rng: np.random.Generator, length: int) -> Float64Array:
    """The congestion window of TCP: it grows by steps and is halved after a loss."""
    limit, chance = rng.uniform(10, 80), rng.choice([0.0, 0.01, 0.05])
    window, values = limit / 2, np.empty(length)
    for step in range(length):
        window += 1.0
        if window > limit * rng.uniform(0.8, 1.2) or rng.random() < chance:
            window *= 0.5
        values[step] = window
    return values


def reservoir(rng: np.random.Generator, length: int) -> Float64Array:
    """The level of a reservoir: random inflows fill it, and it drains by a share of its content at each step."""
    kept, chance = rng.uniform(0.8, 0.995), rng.uniform(0.02, 0.4)
    season = 1 + rng.uniform(0, 0.9) * np.sin(2 * np.pi * np.arange(length) / rng.integers(7, 200))
    inflow = (rng.random(length) < chance * season) * rng.exponential(1.0, size=length)
    held, values = float(inflow.mean() / (1 - kept)), np.empty(length)
    for step in range(length):
        held = kept * held + inflow[step]
        values[step] = held
    return values


def epidemic(rng: np.random.Generator, length: int) -> Float64Array:
    """The infected share in an epidemic that returns: infected, susceptible and immune, with a loss of immunity."""
    contact, recovery, loss = rng.uniform(0.15, 0.6), rng.uniform(0.05, 0.14), rng.uniform(0.002, 0.02)
    ill, free, values = 0.02, 0.9, np.empty(length)
    for step in range(length):
        new = min(free, contact * free * ill * np.exp(0.1 * rng.normal()) + 1e-4)
        free += loss * (1 - ill - free) - new
        ill += new - recovery * ill
        values[step] = ill
    return np.asarray(values * np.exp(rng.choice([0.0, 0.03, 0.1]) * unit_noise(rng, length)))


def feedback(rng: np.random.Generator, length: int) -> Float64Array:
    """A delayed feedback that may be chaotic (Mackey and Glass 1977)."""
    delay, every = int(rng.integers(8, 40)), int(rng.integers(1, 4))
    past = [float(rng.uniform(0.5, 1.2))] * (delay + 1)
    for _ in range(length * every):
        old = past[-delay - 1]
        past.append(0.9 * past[-1] + 0.2 * old / (1 + old**10))
    values = np.array(past[-length * every :: every])
    return np.asarray(values + rng.choice([0.0, 0.01, 0.05]) * unit_noise(rng, length))


def sessions(rng: np.random.Generator, length: int) -> Float64Array:
    """Open sessions: they begin at a rate that changes over the day, and each ends at random."""
    day = int(rng.choice([24, 48, 96, 144, 288]))
    rate = rng.uniform(0.5, 20) * np.exp(rng.uniform(0, 1) * np.sin(2 * np.pi * np.arange(length) / day))
    ending = rng.uniform(0.02, 0.6)
    count, values = int(rate[0] / ending), np.empty(length)
    begun = rng.poisson(rate)
    for step in range(length):
        count += int(begun[step]) - int(rng.binomial(count, ending))
        values[step] = count
    return values


def leak(rng: np.random.Generator, length: int) -> Float64Array:
    """Memory that leaks beside what is in use, until a restart at a limit or at random."""
    rate, limit = rng.uniform(0.2, 2.0), rng.uniform(50, 300)
    used = np.abs(memory_noise(rng, length, 0.9)) * rng.uniform(0, 3)
    chance = rng.choice([0.0, 0.003])
    lost, values = rng.uniform(0, limit), np.empty(length)
    for step in range(length):
        lost += rate * rng.exponential()
        if lost > limit or rng.random() < chance:
            lost = 0.0
        values[step] = lost + used[step]
    return values


def heavy_tails(rng: np.random.Generator, length: int) -> Float64Array:
    """A level, or a slow process, with extreme values of both signs or of one."""
    tail = rng.standard_t(rng.uniform(1.5, 4), size=length)
    if rng.random() < 0.5:
        tail = np.abs(tail)
    slow = memory_noise(rng, length, rng.uniform(0.5, 0.98))
    return np.asarray(tail + rng.uniform(0, 1.5) * slow / (slow.std() + 1e-9))


def hunters(rng: np.random.Generator, length: int) -> Float64Array:
    """Prey and its hunters (Lotka and Volterra): pointed cycles of changing length."""
    growth, step_size = rng.uniform(0.5, 1.5), rng.uniform(0.03, 0.3)
    prey, hunting, values = rng.uniform(0.5, 2.0), rng.uniform(0.3, 1.5), np.empty(length)
    for step in range(length):
        prey *= np.exp(step_size * (growth - hunting) + 0.03 * rng.normal())
        hunting *= np.exp(step_size * (prey - 1.0))
        prey, hunting = min(prey, 20.0), min(max(hunting, 1e-3), 20.0)
        values[step] = prey
    return values


def kicks(rng: np.random.Generator, length: int) -> Float64Array:
    """A pendulum that comes to rest and is kicked at random times."""
    turn, fading = 2 * np.pi / rng.uniform(5, 50), rng.uniform(0.9, 0.995)
    kicked = (rng.random(length) < rng.uniform(0.01, 0.1)) * rng.normal(0, 1, size=length)
    state, values = 0j, np.empty(length)
    for step in range(length):
        state = state * fading * np.exp(1j * turn) + kicked[step]
        values[step] = state.imag
    return np.asarray(values + rng.choice([0.0, 0.05, 0.3]) * unit_noise(rng, length))


def thresholds(rng: np.random.Generator, length: int) -> Float64Array:
    """An autoregression that drifts upwards below a threshold and downwards above it."""
    low, high = rng.uniform(0.5, 1.0, size=2)
    drift, delay = rng.uniform(0.2, 2.0), int(rng.integers(1, 8))
    noise, values = unit_noise(rng, length), np.zeros(length)
    for step in range(delay, length):
        is_low = values[step - delay] < 0
        values[step] = (low if is_low else high) * values[step - 1] + (drift if is_low else -drift)
        values[step] += noise[step]
    return values


def patchwork(rng: np.random.Generator, length: int) -> Float64Array:
    """Straight lines between random points, with noise."""
    points = np.append(np.flatnonzero(rng.random(length) < rng.uniform(0.01, 0.1)), [0, length - 1])
    points = np.unique(points)
    heights = rng.normal(size=len(points))
    if rng.random() < 0.5:
        heights = np.cumsum(heights)
    noise = rng.choice([0.0, 0.05, 0.2]) * unit_noise(rng, length)
    return np.asarray(np.interp(np.arange(length), points, heights) + noise)
