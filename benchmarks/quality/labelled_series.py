"""Generates series with labelled anomalies: the kinds of the training's generator, with incidents added."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fncast.series.window import Float64Array
from model_service.training.generated import generator

# Readings of a month of 5-minute steps.
MONTH = 30 * 288
# Before the first incident, so that a detector has a history.
QUIET = 1_500
INCIDENTS_PER_SERIES = 5
# Readings after an incident in which an opening is neither right nor wrong: the model's window holds the incident.
RECOVERY = 60
# The quantile of a series' own changes that counts as a large move. An incident's size is a multiple of such a move.
LARGE_MOVE = 0.995
LONGEST_SEASON = 24

KINDS: tuple[generator.Kind, ...] = (
    generator.seasonal,
    generator.structural,
    generator.wandering,
    generator.long_wave,
    generator.bursty,
    generator.switching,
    generator.clockwork,
    generator.positive_noise,
)


@dataclass(frozen=True)
class Incident:
    """What was done to a series, by kind.

    begin, end: the readings of the incident, end exclusive. A level shift and a drift also move all readings after it.
    until: the incident counts as found if an episode opens before this reading.
    """

    kind: str
    begin: int
    end: int
    until: int


@dataclass(frozen=True)
class LabelledSeries:
    """A series with incidents. values, clean: (readings,), with and without the incidents."""

    name: str
    values: Float64Array
    clean: Float64Array
    incidents: tuple[Incident, ...]


def labelled_series(count: int, seed: int, length: int = QUIET + MONTH) -> list[LabelledSeries]:
    """`count` series of `length` readings, repeatable by seed. Every kind of series comes equally often.

    length: enough for QUIET, and for 400 readings and more for each incident.
    """
    return [_one(seed, number, length) for number in range(count)]


def _one(seed: int, number: int, length: int) -> LabelledSeries:
    rng = np.random.default_rng((seed, number))
    kind = KINDS[number % len(KINDS)]
    clean = kind(rng, length, LONGEST_SEASON) * 10 ** rng.uniform(-2, 5)
    if rng.random() < 0.5:  # a rate, size or share: never negative
        clean = clean - min(0.0, float(clean.min())) + 0.3 * float(clean.std())
    values = clean.copy()
    incidents = []
    spacing = (length - QUIET) // INCIDENTS_PER_SERIES
    names = rng.permutation(list(INCIDENTS))[:INCIDENTS_PER_SERIES]
    for slot, name in enumerate(names):
        begin = QUIET + slot * spacing + int(rng.integers(0, spacing - 400))
        found = INCIDENTS[name](rng, values, begin)
        if found is not None:
            incidents.append(found)
    return LabelledSeries(f"{kind.__name__}-{number}", values, clean, tuple(incidents))


def _move(values: Float64Array, begin: int, steps: int = 1) -> float:
    """The size of a change over `steps` readings that is large for the series before `begin`."""
    before = values[max(0, begin - QUIET) : begin]
    changes = np.abs(before[steps:] - before[:-steps])
    return float(np.quantile(changes, LARGE_MOVE)) + 1e-9


def _spike(rng: np.random.Generator, values: Float64Array, begin: int) -> Incident | None:
    length = int(rng.integers(1, 4))
    values[begin : begin + length] += rng.choice([-1, 1]) * rng.uniform(1.5, 4) * _move(values, begin)
    return Incident("spike", begin, begin + length, begin + length + 2)


def _shift(rng: np.random.Generator, values: Float64Array, begin: int) -> Incident | None:
    values[begin:] += rng.choice([-1, 1]) * rng.uniform(1.5, 4) * _move(values, begin)
    return Incident("level shift", begin, begin + 12, begin + 12)


def _variance(rng: np.random.Generator, values: Float64Array, begin: int) -> Incident | None:
    length = int(rng.integers(40, 120))
    noise = rng.normal(size=length) * rng.uniform(0.8, 2) * _move(values, begin)
    values[begin : begin + length] += noise
    return Incident("variance", begin, begin + length, begin + length)


def _no_season(rng: np.random.Generator, values: Float64Array, begin: int) -> Incident | None:
    """The series rests at its median, with its smallest moves, as when a job stops."""
    length = int(rng.integers(48, 96))
    before = values[begin - 300 : begin]
    size = float(np.quantile(np.abs(np.diff(before)), 0.1))
    resting = np.median(before) + size * rng.normal(size=length)
    if np.abs(values[begin : begin + length] - np.median(before)).mean() < _move(values, begin):
        return None  # the series rests anyway
    values[begin : begin + length] = resting
    return Incident("missing season", begin, begin + length, begin + length)


def _drift(rng: np.random.Generator, values: Float64Array, begin: int) -> Incident | None:
    length = int(rng.integers(30, 80))
    ramp = (
        np.linspace(0, 1, length) * rng.choice([-1, 1]) * rng.uniform(1.5, 4) * _move(values, begin, length)
    )
    values[begin : begin + length] += ramp
    values[begin + length :] += ramp[-1]
    return Incident("drift", begin, begin + length, begin + length)


def _stuck(rng: np.random.Generator, values: Float64Array, begin: int) -> Incident | None:
    length = int(rng.integers(20, 80))
    values[begin : begin + length] = values[begin]
    return Incident("stuck", begin + 1, begin + length, begin + length)


def _zero(rng: np.random.Generator, values: Float64Array, begin: int) -> Incident | None:
    length = int(rng.integers(5, 40))
    if np.abs(values[begin : begin + length]).mean() < 1.5 * _move(values, begin):
        return None  # the values are near zero anyway
    values[begin : begin + length] = 0.0
    return Incident("drop to zero", begin, begin + length, begin + length)


INCIDENTS: dict[str, Callable[[np.random.Generator, Float64Array, int], Incident | None]] = {
    "spike": _spike,
    "level shift": _shift,
    "variance": _variance,
    "missing season": _no_season,
    "drift": _drift,
    "stuck": _stuck,
    "drop to zero": _zero,
}
