"""Offline detection beside the live join of the same readings and forecasts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from fncast.monitor.anomalies.detector import DetectorSettings
from fncast.monitor.anomalies.offline import OfflineDetector, detect
from fncast.monitor.joining.joined_series import JoinedSeries
from fncast.monitor.joining.series_grid import SeriesGrid
from fncast.series.step import Step
from tests.fncast.monitor import noisy_series

SETTINGS = DetectorSettings(min_history=100)
READINGS, HORIZON, FIRST = 400, 5, 20  # of forecasts: steps, and the first start
SPIKE, GAP = 300, 350
START, STEP = datetime(2026, 5, 1, tzinfo=UTC), Step.seconds(60.0)


def values_with_a_spike_and_a_gap() -> np.ndarray:
    values = 50 + np.random.default_rng(0).normal(size=READINGS)
    values[SPIKE] += 30
    values[GAP : GAP + HORIZON] = np.nan  # no forecast reaches beyond it
    return values


def forecast(values: np.ndarray, start: int) -> np.ndarray:
    """(HORIZON, 3) median, low and high: the last value with a band that gets wider."""
    width = np.sqrt(1.0 + np.arange(HORIZON))[:, np.newaxis]
    return values[start - 1] + width * np.array([0.0, -1.3, 1.3])


def near_and_far(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    near, far = np.full((2, READINGS, 3), np.nan)
    for start in range(FIRST, READINGS):
        if np.isnan(values[start - 1]):
            continue
        rows = forecast(values, start)
        near[start] = rows[0]
        if start + HORIZON <= READINGS:
            far[start + HORIZON - 1] = rows[-1]
    # Where the longest lead is missing, the live join takes the longest that there is.
    for at in np.flatnonzero(np.isnan(far[:, 0]) & ~np.isnan(near[:, 0])):
        starts = [start for start in range(at - HORIZON + 1, at + 1) if not np.isnan(near[start, 0])]
        far[at] = forecast(values, starts[0])[at - starts[0]]
    return near, far


def test_the_live_join_and_offline_detection_have_equal_results() -> None:
    values = values_with_a_spike_and_a_gap()
    offline = detect(values, *near_and_far(values), SETTINGS)
    live = JoinedSeries(SeriesGrid(START, STEP))
    judged = []
    for at, value in enumerate(values.tolist()):
        if np.isnan(value):
            continue
        if at >= FIRST and not np.isnan(values[at - 1]):
            median, low, high = forecast(values, at).T.tolist()
            live.add_forecast(
                "forecast/1", live.grid.index(START + timedelta(minutes=at)), [low, median, high]
            )
        live.add_reading(at, value)
        judged += live.judge(SETTINGS)
    known = np.flatnonzero(~np.isnan(values))[: len(judged)]
    assert len(judged) > READINGS - 2 * HORIZON
    assert [each.judgement.score for each in judged] == offline.scores[known].tolist()
    assert [each.judgement.is_anomaly for each in judged] == offline.is_anomaly[known].tolist()
    assert offline.is_anomaly[SPIKE]


def test_parts_have_the_result_of_the_whole() -> None:
    values = values_with_a_spike_and_a_gap()
    near, far = near_and_far(values)
    whole = detect(values, near, far, SETTINGS)
    detector, scores, flags = OfflineDetector(SETTINGS), [], []
    for begin in range(0, READINGS, 37):
        part = slice(begin, begin + 37)
        score, flag = detector.judge(values[part], near[part], far[part])
        scores += score.tolist()
        flags += flag.tolist()
    assert scores == whole.scores.tolist()
    assert flags == whole.is_anomaly.tolist()
    assert detector.episodes == list(whole.episodes)
    assert detector.with_forecast == int((~np.isnan(values) & ~np.isnan(near[:, 0])).sum())


def test_a_slow_drift_is_shown_beside_the_forecast_that_was_made_first() -> None:
    values = noisy_series.noise()
    values[900:] += 0.1 * np.arange(600)  # the near forecasts follow
    near, far = (
        np.stack([expected, expected - 1.3, expected + 1.3], axis=1)
        for expected in (np.concatenate([[50.0], values[:-1]]), np.full(len(values), 50.0))
    )
    episode = detect(values, near, far, noisy_series.SETTINGS).episodes[0]
    assert 900 < episode.start < 1_000
    assert episode.expected == 50.0


def test_a_gap_opens_nothing() -> None:
    values = noisy_series.noise(seed=1)
    values[900:960] = np.nan
    detection = noisy_series.detected(values)
    assert not [episode for episode in detection.episodes if 890 <= episode.start <= 1_000]
    assert not detection.scores[900:960].any()


def test_scores_allow_other_thresholds() -> None:
    values = noisy_series.noise()
    values[900] += 30
    detection = noisy_series.detected(values)
    assert detection.scores.argmax() == 900
    assert 0 <= detection.scores.min() <= detection.scores.max() <= 1
    assert len(noisy_series.detected(values, DetectorSettings(0.05, 400)).episodes) > len(detection.episodes)
