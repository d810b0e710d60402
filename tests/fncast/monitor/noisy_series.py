"""A noisy series, and what is detected in it if the mean of the last readings is the forecast."""

from __future__ import annotations

import numpy as np

from fncast.monitor.anomalies.detector import DetectorSettings
from fncast.monitor.anomalies.offline import Detection, detect

SETTINGS = DetectorSettings(min_history=400)


READINGS = 1_500


def noise(seed: int = 0, readings: int = READINGS) -> np.ndarray:
    return 50 + np.random.default_rng(seed).normal(size=readings)


def detected(values: np.ndarray, settings: DetectorSettings = SETTINGS) -> Detection:
    """Forecast the mean of the last readings, with a band of their spread."""
    expected = np.full(len(values), np.nan)
    for at in range(10, len(values)):
        if not np.isnan(values[at - 1]):
            expected[at] = np.nanmean(values[at - 10 : at])
    near = np.stack([expected, expected - 1.3, expected + 1.3], axis=1)
    return detect(values, near, near, settings)
