"""Scales the band of forecasts by split conformal prediction, so that it covers the stated share of new readings."""

from __future__ import annotations

import numpy as np

from fncast.series.window import Float32Array, Float64Array

# Limits of the factors, so that a few extreme windows cannot make the band huge or tiny.
MIN_FACTOR, MAX_FACTOR = 0.2, 5.0
# The factor of a single step of the horizon is pooled with that of all steps, with the weight of this many windows.
PRIOR_WINDOWS = 50
# The factors are shrunk towards 1, with the weight of this many windows: a few days may not be typical.
TRUSTED_WINDOWS = 12
# The band is widened by CAUTION / sqrt(windows), because few windows give an uncertain estimate.
CAUTION = 0.3


def band_factors(
    forecast: Float32Array, targets: Float32Array, miss: float, independent: float
) -> tuple[Float32Array, Float32Array]:
    """The factors for the widths below and above the median, for each step of the horizon.

    forecast: (windows, horizon, 3). targets: (windows, horizon), NaN if unknown. Both are scaled by their window.
    miss: the intended share of readings below the band, and above it. independent: number of windows that share no
    targets. Returns two arrays of shape (horizon,).
    Source: split conformal prediction with the score (reading - median) / width (Romano et al. 2019, section 3,
    one-sided), shrunk towards the factor over all steps, and towards 1.
    """
    low, middle, high = (forecast[:, :, i].astype(np.float64) for i in range(3))
    independent = max(1.0, independent)
    below = _factors((middle - targets) / np.maximum(middle - low, 1e-6), miss, independent)
    above = _factors((targets - middle) / np.maximum(high - middle, 1e-6), miss, independent)
    return below, above


def _factors(scores: Float64Array, miss: float, independent: float) -> Float32Array:
    """The factor of each step, (horizon,), from scores, (windows, horizon), NaN if unknown; see `band_factors`."""
    factors = np.ones(scores.shape[1])
    if np.isfinite(scores).any():
        pooled = _quantile(scores.ravel(), miss)
        for step, column in enumerate(scores.T):
            known = np.isfinite(column)
            count = independent * known.mean()
            single = _quantile(column, miss) if known.any() else pooled
            factors[step] = (count * single + PRIOR_WINDOWS * pooled) / (count + PRIOR_WINDOWS)
        found = np.clip(factors, MIN_FACTOR, MAX_FACTOR)
        factors = found ** (independent / (independent + TRUSTED_WINDOWS))
    return np.asarray(factors * (1 + CAUTION / np.sqrt(independent)), dtype=np.float32)


def _quantile(scores: Float64Array, miss: float) -> float:
    """The (1 - miss) quantile with the finite-sample correction of conformal prediction."""
    known = np.sort(scores[np.isfinite(scores)])
    rank = int(np.ceil((1 - miss) * (len(known) + 1))) - 1
    return float(known[min(rank, len(known) - 1)])
