"""The detector on series whose forecast is the last value with a band."""

from __future__ import annotations

import numpy as np

from fncast.monitor.detector import DetectorSettings
from fncast.monitor.offline import Detection, detect

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


def test_a_spike_is_one_episode_with_its_peak_and_its_band() -> None:
    values = noise()
    values[900] += 30
    (episode,) = detected(values).episodes
    assert (episode.kind, episode.start, episode.peak, episode.is_open) == ("outlier", 900, 900, False)
    assert episode.value == values[900]
    assert episode.low < episode.expected < episode.high
    assert episode.score > 0.7


def test_a_level_shift_opens_once_and_becomes_normal() -> None:
    values = noise()
    values[900:] += 30
    (episode,) = detected(values).episodes
    assert episode.start == 900
    assert not episode.is_open
    assert episode.end < 1_050


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


def test_an_incident_after_a_long_rest_is_a_separate_episode() -> None:
    values = noise()
    values[600:900] = values[600]
    values[900:] += 30
    first, second, *_ = detected(values).episodes
    assert (first.kind, first.is_open) == ("stuck", False)
    assert 890 <= first.end < 900
    assert (second.kind, second.start) == ("outlier", 901)
