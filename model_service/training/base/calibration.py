"""Scales the widths of the quantiles so that each holds the stated share of readings: by step of the horizon, by number
of known readings, and by share of missing ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fncast.series.window import Float64Array
from model_service.training.base.examples import BoolArray, Examples, draw_examples
from model_service.training.base.fit import predict
from model_service.training.base.shape import MISSING_KNOTS, QUANTILES, Size, history_knots

# No examples that jump after a constant: such jumps are rare in service, and would widen all bands.
STILL = 0.0
# Examples for each knot of the tables, and masks among them.
EXAMPLES_PER_KNOT, OUTAGES = 3_000, 300

MIN_FACTOR, MAX_FACTOR = 0.25, 4.0
MIDDLE = len(QUANTILES) // 2


def calibrate(network: Any, size: Size, examples: Examples) -> None:
    """Set the factors of the network's bands from its forecasts of examples that it was not trained on.

    Source: split conformal prediction with the score (reading - median) / width (Romano et al. 2019, section 3,
    one-sided), for each quantile and knot of the horizon.
    """
    bands, widening = network.get_layer("bands"), network.get_layer("widening")
    for weight in (bands.factors, widening.by_history, widening.by_missing):
        weight.assign(np.ones_like(weight.numpy()))
    forecast = predict(network, examples.windows).astype(np.float64)
    nearest = np.abs(np.arange(size.horizon)[:, np.newaxis] - np.array(size.knots)).argmin(axis=1)
    factors = np.ones((len(size.knots), len(QUANTILES) - 1))
    for knot in range(len(size.knots)):
        steps = nearest == knot
        factors[knot] = knot_factors(forecast[:, steps], examples.targets[:, steps].astype(np.float64))
    bands.factors.assign(factors.astype(np.float32))


def calibrate_widening(network: Any, size: Size, pool: Float64Array, rng: np.random.Generator) -> None:
    """Set how much wider bands are for short histories and for gaps, after `calibrate`.

    pool: (series, readings), not trained on.
    """
    layer = network.get_layer("widening")
    by_history = []
    for known in history_knots(size.window):
        gone = np.arange(size.window)[np.newaxis] < size.window - known
        by_history.append(
            _band_factor(network, draw_examples(rng, pool, EXAMPLES_PER_KNOT, size, gone, STILL))
        )
    layer.by_history.assign(np.array(by_history, dtype=np.float32)[:, np.newaxis])
    by_missing = [1.0]
    for share in MISSING_KNOTS[1:]:
        gone = np.stack([_outage(rng, size.window, share) for _ in range(OUTAGES)])
        by_missing.append(
            _band_factor(network, draw_examples(rng, pool, EXAMPLES_PER_KNOT, size, gone, STILL))
        )
    layer.by_missing.assign(np.array(by_missing, dtype=np.float32)[:, np.newaxis])


def _band_factor(network: Any, examples: Examples) -> float:
    """The factor with which the 80 % band holds 80 % of the readings."""
    forecast = predict(network, examples.windows).astype(np.float64)
    median = forecast[:, :, MIDDLE]
    apart = examples.targets - median
    width = np.where(apart < 0, median - forecast[:, :, 0], forecast[:, :, -1] - median)
    scores = np.abs(apart) / np.maximum(width, 1e-9)
    level = QUANTILES[-1] - QUANTILES[0]
    return float(np.clip(np.quantile(scores[width > 1e-6], level), MIN_FACTOR, MAX_FACTOR))


def _outage(rng: np.random.Generator, window: int, share: float) -> BoolArray:
    """A mask with one outage of a share of the history, which is short in half of the masks."""
    length = int(rng.integers(window // 4, window + 1)) if rng.random() < 0.5 else window
    outage = int(share * length)
    at = window - length + int(rng.integers(1, length - outage + 1))
    gone = np.arange(window) < window - length
    gone[at : at + outage] = True
    return gone


def knot_factors(forecast: Float64Array, targets: Float64Array) -> Float64Array:
    """The factors of the widths from each quantile to the next, ascending: (quantiles - 1,).

    forecast: (count, steps, quantiles). targets: (count, steps).
    """
    widths = np.abs(np.diff(forecast, axis=2)).mean(axis=(0, 1))
    median = forecast[:, :, MIDDLE]
    found = []
    for side in (-1, 1):
        distances, before = [], 0.0
        for away in range(1, MIDDLE + 1):
            at = MIDDLE + side * away
            width = np.abs(forecast[:, :, at] - median)
            scores = side * (targets - median) / np.maximum(width, 1e-9)
            level = QUANTILES[at] if side > 0 else 1 - QUANTILES[at]
            factor = np.clip(np.quantile(scores[width > 1e-6], level), MIN_FACTOR, MAX_FACTOR)
            distance = factor * width.mean()
            step = widths[MIDDLE - away] if side < 0 else widths[MIDDLE + away - 1]
            distances.append(np.clip((distance - before) / max(step, 1e-9), MIN_FACTOR / 2, MAX_FACTOR))
            before += distances[-1] * step
        found += distances[::-1] if side < 0 else distances
    return np.array(found)
