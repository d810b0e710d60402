"""The detector on series whose forecast is the last value with a band."""

from __future__ import annotations

import numpy as np

from fncast.monitor.anomalies.detector import DetectorSettings
from tests.fncast.monitor.noisy_series import detected, noise


def test_a_shift_soon_after_an_outlier_in_a_short_series_is_found() -> None:
    values = noise(readings=600)
    values[400] += 60
    values[500:] += 40
    found = detected(values, DetectorSettings(min_history=200)).episodes
    assert {400, 500} <= {episode.start for episode in found}


def test_a_slow_drift_is_found_before_its_end() -> None:
    values = noise()
    values[900:1_000] += np.linspace(0, 40, 100)
    assert any(900 < episode.start < 960 for episode in detected(values).episodes)


def test_a_stuck_sensor_is_a_separate_kind() -> None:
    values = noise()
    values[900:960] = values[900]
    (episode,) = detected(values).episodes
    assert episode.kind == "stuck"
    assert 903 <= episode.start <= 910
    assert 955 <= episode.end <= 1_000


def test_noise_that_becomes_loud_is_found() -> None:
    values = noise()
    values[900:960] += np.random.default_rng(5).normal(size=60) * 6
    assert any(900 <= episode.start < 915 for episode in detected(values).episodes)


def test_ordinary_noise_is_quiet() -> None:
    episodes = [len(detected(noise(seed, 3_000)).episodes) for seed in range(4)]
    assert sum(episodes) <= 4  # of 10 readings that may be in episodes, by alpha


def test_nothing_is_found_before_the_history_is_long_enough() -> None:
    values = noise()
    values[300] += 30
    detection = detected(values)
    assert detection.episodes == []
    assert detection.scores[:400].max() == 0
