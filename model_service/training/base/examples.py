"""Draws training examples of the base model: windows with missing readings, scaled, and what follows them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fncast.series.window import MIN_HISTORY, MISSING, Float32Array, Float64Array
from model_service.training.base.shape import Size

BoolArray = NDArray[np.bool_]

# Shares of examples with each kind of missing readings; the others have none.
SCATTERED, OUTAGE, TRAILING, BURSTS, LEADING = 0.1, 0.22, 0.06, 0.08, 0.32
# Shares of examples whose last reading is a spike, or the first reading of a new level.
SPIKES, SHIFTS = 0.1, 0.02
# The share of examples whose readings stay the same, or nearly, until the last one jumps. A jump lasts for the whole
# horizon, for a part of it, or for no further reading.
STILL, LASTS, LASTS_FOR_A_WHILE = 0.02, 0.2, 0.2
NEARLY = 1e-3
# How far a target may be from the readings of its window, in mean deviations.
MAX_SCALED_TARGET = 12.0
MIN_WEIGHT, MAX_WEIGHT = 0.1, 3.0
# Steps over which the usual change of a series is taken.
USUAL_STEPS = 12


@dataclass(frozen=True)
class Examples:
    """windows: (count, window) coded. targets: (count, horizon). weights: (count,)."""

    windows: Float32Array
    targets: Float32Array
    weights: Float32Array


def draw_examples(
    rng: np.random.Generator,
    pool: Float64Array,
    count: int,
    size: Size,
    gaps: BoolArray | None,
    still: float = STILL,
) -> Examples:
    """`count` random windows of random series. pool: (series, readings). gaps: (masks, window), see `draw_gaps`.

    still: the share of windows that are constant until a jump in the last reading.
    """
    window, horizon = size.window, size.horizon
    rows = rng.integers(len(pool), size=count)
    starts = rng.integers(pool.shape[1] - window - horizon + 1, size=count)
    parts = pool[rows[:, np.newaxis], starts[:, np.newaxis] + np.arange(window + horizon)]
    usual = usual_change(pool)[rows]
    windows, targets = parts[:, :window], parts[:, window:]
    middle = np.median(windows, axis=1, keepdims=True)
    spike = np.abs(windows - middle).mean(axis=1) * rng.uniform(2, 12, size=count)
    spike *= rng.choice([-1.0, 1.0, 1.0], size=count)
    chance = rng.random(count)
    _keep_still(rng, windows, targets, usual, still)
    windows[:, -1] += np.where(chance < SPIKES + SHIFTS, spike, 0.0)
    targets += np.where((chance >= SPIKES) & (chance < SPIKES + SHIFTS), spike, 0.0)[:, np.newaxis]
    if gaps is not None:
        windows[gaps[rng.integers(len(gaps), size=count)]] = np.nan
    return scaled(windows, targets, usual)


def _keep_still(
    rng: np.random.Generator, windows: Float64Array, targets: Float64Array, usual: Float64Array, share: float
) -> None:
    """Make a share of the examples constant or nearly so, up to a jump in the last reading."""
    count, horizon = targets.shape
    still = np.flatnonzero(rng.random(count) < share)
    nearly = rng.choice([0.0, NEARLY], size=(len(still), 1))
    middle = np.median(windows[still], axis=1, keepdims=True)
    for part in (windows, targets):
        part[still] = middle + nearly * (part[still] - middle)
    jump = usual[still] * rng.uniform(2, 12, size=len(still)) * rng.choice([-1.0, 1.0, 1.0], size=len(still))
    chance = rng.random(len(still))
    lasting = np.where(chance < LASTS, horizon, 0)
    lasting = np.where(chance > 1 - LASTS_FOR_A_WHILE, rng.integers(1, horizon + 1, size=len(still)), lasting)
    windows[still, -1] += jump
    targets[still] += np.where(np.arange(horizon) < lasting[:, np.newaxis], jump[:, np.newaxis], 0.0)


def usual_change(pool: Float64Array) -> Float64Array:
    """The mean absolute change of each series over USUAL_STEPS steps. pool: (series, readings). Returns (series,)."""
    return np.asarray(np.abs(pool[:, USUAL_STEPS:] - pool[:, :-USUAL_STEPS]).mean(axis=1))


def draw_gaps(rng: np.random.Generator, count: int, window: int) -> BoolArray:
    """Which readings of a window are missing: (count, window)."""
    return np.stack([_gaps(rng, window) for _ in range(count)])


def _gaps(rng: np.random.Generator, window: int) -> BoolArray:
    """At most half of the readings after the first are missing."""
    gone = np.zeros(window, dtype=bool)
    first = 0
    if rng.random() < LEADING:
        first = window - int(np.exp(rng.uniform(np.log(MIN_HISTORY), np.log(window))))
    length = window - first
    here = gone[first:]
    kind = rng.random()
    if kind < SCATTERED:
        here |= rng.random(length) < rng.uniform(0.01, 0.5)
    elif kind < SCATTERED + OUTAGE:
        outage = int(rng.integers(1, length // 2 + 1))
        at = int(rng.integers(0, length - outage + 1))
        here[at : at + outage] = True
    elif kind < SCATTERED + OUTAGE + TRAILING:
        here[length - int(rng.integers(1, max(2, length // 3))) :] = True
    elif kind < SCATTERED + OUTAGE + TRAILING + BURSTS:
        for _ in range(int(rng.integers(1, 5))):
            at = int(rng.integers(length))
            here[at : at + int(rng.integers(1, max(2, length // 8)))] = True
    if here.sum() > length // 2:
        here[:] = False
    gone[:first] = True
    return gone


def scaled(windows: Float64Array, targets: Float64Array, usual: Float64Array) -> Examples:
    """Scale each window by itself, and code missing readings (NaN).

    usual: (count,) the usual change of each series, which weights the window.
    """
    known = ~np.isnan(windows)
    latest = windows.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    last = windows[np.arange(len(windows)), latest][:, np.newaxis]
    centred = np.where(known, windows - last, 0.0)
    count = np.maximum(known.sum(axis=1, keepdims=True), 1)
    mean = centred.sum(axis=1, keepdims=True) / count
    scale = (np.abs(centred - mean) * known).sum(axis=1, keepdims=True) / count
    usual = np.maximum(usual, 1e-12)
    scale = np.where(scale > 1e-9 * np.abs(last) + 1e-12, scale, usual[:, np.newaxis])
    moved = centred / scale
    coded = np.where(known, moved, MISSING)
    # Targets may return to any known reading, however far the last one is from the others.
    lowest = moved.min(axis=1, keepdims=True) - MAX_SCALED_TARGET
    highest = moved.max(axis=1, keepdims=True) + MAX_SCALED_TARGET
    clipped = np.clip((targets - last) / scale, lowest, highest)
    weights = np.clip(scale[:, 0] / usual, MIN_WEIGHT, MAX_WEIGHT)
    return Examples(*(part.astype(np.float32) for part in (coded, clipped, weights)))
