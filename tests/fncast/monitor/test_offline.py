"""Detection in a whole series whose forecasts are known."""

from __future__ import annotations

import numpy as np

from fncast.monitor.detector import DetectorSettings
from fncast.monitor.offline import detect
from tests.fncast.monitor.noisy_series import SETTINGS, detected, noise


def test_a_slow_drift_is_shown_beside_the_forecast_that_was_made_first() -> None:
    values = noise()
    values[900:] += 0.1 * np.arange(600)  # the near forecasts follow
    near, far = (
        np.stack([expected, expected - 1.3, expected + 1.3], axis=1)
        for expected in (np.concatenate([[50.0], values[:-1]]), np.full(len(values), 50.0))
    )
    episode = detect(values, near, far, SETTINGS).episodes[0]
    assert 900 < episode.start < 1_000
    assert episode.expected == 50.0


def test_a_gap_opens_nothing() -> None:
    values = noise(seed=1)
    values[900:960] = np.nan
    detection = detected(values)
    assert not [episode for episode in detection.episodes if 890 <= episode.start <= 1_000]
    assert not detection.scores[900:960].any()


def test_scores_allow_other_thresholds() -> None:
    values = noise()
    values[900] += 30
    detection = detected(values)
    assert detection.scores.argmax() == 900
    assert 0 <= detection.scores.min() <= detection.scores.max() <= 1
    assert len(detected(values, DetectorSettings(0.05, 400)).episodes) > len(detection.episodes)
