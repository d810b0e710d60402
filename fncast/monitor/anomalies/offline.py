"""Detects the anomalies of a whole series whose forecasts are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fncast.monitor.anomalies.detector import Detector, DetectorSettings
from fncast.monitor.anomalies.episode import Episode
from fncast.monitor.anomalies.figures import Expectation
from fncast.series.window import Float64Array


@dataclass(frozen=True)
class Detection:
    """What was found in one series.

    scores: (readings,) 0..1, 0 where a reading is missing. is_anomaly: (readings,). episodes: in the order of time,
    their times are indices of readings; the last may still be open.
    """

    scores: Float64Array
    is_anomaly: NDArray[np.bool_]
    episodes: Sequence[Episode]


class OfflineDetector:
    """Judges the readings of one series with the code of the live monitor, in parts that follow each other.

    episodes: all so far, in the order of time; their times are indices of readings, and the last may still be open.
    with_forecast: how many readings had forecasts so far.
    """

    def __init__(self, settings: DetectorSettings) -> None:
        self.episodes: list[Episode] = []
        self.with_forecast = 0
        self._settings = settings
        self._detector = Detector()
        self._readings = 0

    def judge(
        self, values: Float64Array, near: Float64Array, far: Float64Array
    ) -> tuple[Float64Array, NDArray[np.bool_]]:
        """Judge the next readings. Returns `scores` and `is_anomaly` of them, see Detection.

        values: (readings,), NaN where missing. near, far: (readings, 3) expected, low and high of each reading, NaN
        where there is no forecast; see `Detector.judge`.
        """
        scores = np.zeros(len(values))
        is_anomaly = np.zeros(len(values), dtype=np.bool_)
        is_known = ~np.isnan(values)
        is_forecast = is_known & ~np.isnan(near[:, 0]) & ~np.isnan(far[:, 0])
        forecasts = map(Expectation._make, near.tolist()), map(Expectation._make, far.tolist())
        rows = zip(values.tolist(), *forecasts, is_known.tolist(), is_forecast.tolist(), strict=True)
        for index, (value, near_forecast, far_forecast, known, has_forecast) in enumerate(rows):
            if not known:
                continue
            at = self._readings + index
            if has_forecast:
                judgement = self._detector.judge(at, value, near_forecast, far_forecast, self._settings)
            else:
                judgement = self._detector.judge(at, value, None, None, self._settings)
            scores[index], is_anomaly[index] = judgement.score, judgement.is_anomaly
            if judgement.changed is not None and judgement.changed.is_open:
                self.episodes.append(judgement.changed)
        self._readings += len(values)
        self.with_forecast += int(is_forecast.sum())
        return scores, is_anomaly


def detect(
    values: Float64Array, near: Float64Array, far: Float64Array, settings: DetectorSettings
) -> Detection:
    """Judge each reading of a series; see `OfflineDetector.judge`."""
    detector = OfflineDetector(settings)
    return Detection(*detector.judge(values, near, far), detector.episodes)
