"""Recomputes accuracy from all readings and forecasts of a series, with numpy: the reference for the monitor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

LEVELS = np.array([0.1, 0.5, 0.9])


def offline_figures(
    readings: Mapping[int, float], forecasts: Sequence[tuple[int, Sequence[Sequence[float]]]]
) -> dict[str, float]:
    """readings: the last value of each step. forecasts: (first step, rows of low, median and high)."""
    values, lasts, quantiles = [], [], []
    for start, rows in forecasts:
        if start - 1 not in readings:
            continue
        for step, row in enumerate(rows):
            if start + step in readings:
                values.append(readings[start + step])
                lasts.append(readings[start - 1])
                quantiles.append(row)
    value, last, quantile = np.array(values), np.array(lasts), np.array(quantiles)
    difference = value[:, None] - quantile
    loss = 2 * np.maximum(LEVELS * difference, (LEVELS - 1) * difference).mean(axis=1)
    error = np.abs(difference[:, 1])
    return {
        "readings": len(value),
        "mae": error.mean(),
        "skill": 1 - error.sum() / np.abs(value - last).sum(),
        "wql": loss.sum() / np.abs(value).sum(),
        "coverage": ((quantile[:, 0] <= value) & (value <= quantile[:, 2])).mean(),
    }
