"""Detects the anomalies of a whole series whose forecasts are known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fncast.monitor.detector import Detector, DetectorSettings
from fncast.monitor.episode import Episode
from fncast.monitor.figures import Expectation

Float64Array = NDArray[np.float64]


@dataclass(frozen=True)
class Detection:
    """What was found in one series.

    scores: (readings,) 0..1, 0 where a reading is missing. is_anomaly: (readings,). episodes: in the order of time,
    their times are indices of readings; the last may still be open.
    """

    scores: Float64Array
    is_anomaly: NDArray[np.bool_]
    episodes: Sequence[Episode]


def detect(
    values: Float64Array, near: Float64Array, far: Float64Array, settings: DetectorSettings
) -> Detection:
    """Judge each reading of a series.

    values: (readings,), NaN where missing. near, far: (readings, 3) expected, low and high of each reading, NaN where
    there is no forecast; see `Detector.judge`.
    """
    detector = Detector()
    scores = np.zeros(len(values))
    is_anomaly = np.zeros(len(values), dtype=np.bool_)
    episodes: list[Episode] = []
    near_rows, far_rows = near.tolist(), far.tolist()
    for at, value in enumerate(values.tolist()):
        if math.isnan(value):
            continue
        near_row, far_row = near_rows[at], far_rows[at]
        if math.isnan(near_row[0]) or math.isnan(far_row[0]):
            judgement = detector.judge(at, value, None, None, settings)
        else:
            judgement = detector.judge(at, value, Expectation(*near_row), Expectation(*far_row), settings)
        scores[at], is_anomaly[at] = judgement.score, judgement.is_anomaly
        if judgement.changed is not None and judgement.changed.is_open:
            episodes.append(judgement.changed)
    return Detection(scores, is_anomaly, episodes)
