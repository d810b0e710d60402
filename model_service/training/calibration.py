"""Split-conformal scaling of a forecast's band, so that it holds what it promises on readings not trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float32Array = NDArray[np.float32]

# The factors stay within these: a tail of a few windows must not blow the band up, nor make it vanish.
LEAST_FACTOR, LARGEST_FACTOR = 0.2, 5.0
# A step of the horizon gets a factor of its own only as far as this many independent windows support it.
PRIOR_WINDOWS = 50
# The factors leave 1, which training has aimed at, only as far as this many independent windows support them: a few
# days can be calmer or wilder than what follows.
TRUSTED_WINDOWS = 12
# What is known of few windows is known badly, and what follows changes: the band is wider by this, over the root of
# their number.
CAUTION = 0.3


def band_factors(
    forecast: Float32Array, targets: Float32Array, miss: float, independent: float
) -> tuple[Float32Array, Float32Array]:
    """By how much to multiply the widths below and above the median at each step of the horizon.

    forecast: (windows, horizon, 3); targets: (windows, horizon), NaN where unknown, both scaled by their window.
    miss: the share of readings meant to lie below the band, and the share above. independent: how many of the windows
    share no target with each other; the others tell little more. Returns two (horizon,) arrays.
    Source: split conformal prediction with the score (reading - median) / width (Romano et al. 2019, section 3,
    one-sided), pooled with the factor over all steps, and with 1, where independent windows are few."""
    low, middle, high = (forecast[:, :, i].astype(np.float64) for i in range(3))
    independent = max(1.0, independent)
    below = _factors((middle - targets) / np.maximum(middle - low, 1e-6), miss, independent)
    above = _factors((targets - middle) / np.maximum(high - middle, 1e-6), miss, independent)
    return below, above


def _factors(scores: NDArray[np.float64], miss: float, independent: float) -> Float32Array:
    """scores: (windows, horizon)."""
    factors = np.ones(scores.shape[1])
    if np.isfinite(scores).any():
        pooled = _quantile(scores.ravel(), miss)
        for step, column in enumerate(scores.T):
            known = np.isfinite(column)
            count = independent * known.mean()
            own = _quantile(column, miss) if known.any() else pooled
            factors[step] = (count * own + PRIOR_WINDOWS * pooled) / (count + PRIOR_WINDOWS)
        found = np.clip(factors, LEAST_FACTOR, LARGEST_FACTOR)
        factors = found ** (independent / (independent + TRUSTED_WINDOWS))
    return np.asarray(factors * (1 + CAUTION / np.sqrt(independent)), dtype=np.float32)


def _quantile(scores: NDArray[np.float64], miss: float) -> float:
    """The (1 - miss) quantile with the finite-sample correction of conformal prediction."""
    known = np.sort(scores[np.isfinite(scores)])
    rank = int(np.ceil((1 - miss) * (len(known) + 1))) - 1
    return float(known[min(rank, len(known) - 1)])
