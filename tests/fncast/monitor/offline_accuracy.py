"""Recomputes accuracy from all readings and forecasts of a series, with numpy: the reference for the monitor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

LEVELS = np.array([0.1, 0.5, 0.9])


def weight_of(lead: int) -> float:
    """How much an outcome counts at this lead; 0 if it is not measured."""
    spacing = 1 if lead <= 24 else 8 if lead <= 96 else 32
    return 0.0 if lead % spacing else float(spacing)


def offline_figures(
    readings: Mapping[int, float], forecasts: Sequence[tuple[int, Sequence[Sequence[float]]]]
) -> dict[str, float]:
    """readings: the last value of each step. forecasts: (first step, rows of low, median and high)."""
    values, lasts, quantiles, weights = [], [], [], []
    for start, rows in forecasts:
        if start - 1 not in readings:
            continue
        for step, row in enumerate(rows):
            if start + step in readings and weight_of(step + 1):
                values.append(readings[start + step])
                lasts.append(readings[start - 1])
                quantiles.append(row)
                weights.append(weight_of(step + 1))
    value, last, quantile, weight = map(np.array, (values, lasts, quantiles, weights))
    difference = value[:, None] - quantile
    loss = 2 * np.maximum(LEVELS * difference, (LEVELS - 1) * difference).mean(axis=1)
    error = np.abs(difference[:, 1])
    is_inside = (quantile[:, 0] <= value) & (value <= quantile[:, 2])
    return {
        "readings": len(value),
        "mae": np.average(error, weights=weight),
        "skill": 1 - weight @ error / (weight @ np.abs(value - last)),
        "wql": weight @ loss / (weight @ np.abs(value)),
        "coverage": np.average(is_inside, weights=weight),
    }
