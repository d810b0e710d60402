"""Scales the widths of the quantiles so that each holds the stated share of readings, by step of the horizon."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_service.training.base.examples import Examples
from model_service.training.base.fit import predict
from model_service.training.base.shape import QUANTILES, Size

Float64Array = NDArray[np.float64]

LEAST_FACTOR, LARGEST_FACTOR = 0.25, 4.0
MIDDLE = len(QUANTILES) // 2


def calibrate(network: Any, size: Size, examples: Examples) -> None:
    """Set the factors of the network's bands from its forecasts of examples that it was not trained on.

    Source: split conformal prediction with the score (reading - median) / width (Romano et al. 2019, section 3,
    one-sided), for each quantile and knot of the horizon."""
    bands = network.get_layer("bands")
    bands.factors.assign(np.ones_like(bands.factors.numpy()))
    forecast = predict(network, examples.windows).astype(np.float64)
    nearest = np.abs(np.arange(size.horizon)[:, np.newaxis] - np.array(size.knots)).argmin(axis=1)
    factors = np.ones((len(size.knots), len(QUANTILES) - 1))
    for knot in range(len(size.knots)):
        steps = nearest == knot
        factors[knot] = knot_factors(forecast[:, steps], examples.targets[:, steps].astype(np.float64))
    bands.factors.assign(factors.astype(np.float32))


def knot_factors(forecast: Float64Array, targets: Float64Array) -> Float64Array:
    """The factors of the widths from each quantile to the next, ascending: (quantiles - 1,).

    forecast: (count, steps, quantiles). targets: (count, steps)."""
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
            factor = np.clip(np.quantile(scores[width > 1e-6], level), LEAST_FACTOR, LARGEST_FACTOR)
            distance = factor * width.mean()
            step = widths[MIDDLE - away] if side < 0 else widths[MIDDLE + away - 1]
            distances.append(np.clip((distance - before) / max(step, 1e-9), LEAST_FACTOR / 2, LARGEST_FACTOR))
            before += distances[-1] * step
        found += distances[::-1] if side < 0 else distances
    return np.array(found)
