"""The join of readings and forecasts, against an offline recomputation."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest

from fncast.monitor.anomalies.detector import DetectorSettings
from fncast.monitor.joining.joined_series import MAX_MODELS, JoinedSeries
from fncast.monitor.joining.series_grid import SeriesGrid
from fncast.monitor.messages import ForecastMessage
from fncast.series.step import Step
from tests.fncast.monitor.offline_accuracy import offline_figures

START, STEP = datetime(2026, 5, 1, tzinfo=UTC), Step.seconds(300.0)
HORIZON, LENGTH = 4, 120
LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)


def forecast(
    start: int, rng: np.random.Generator, model: str = "forecast/1", horizon: int = HORIZON
) -> ForecastMessage:
    rows = [tuple(np.sort(50 + rng.normal(size=len(LEVELS))).tolist()) for _ in range(horizon)]
    columns = [list(column) for column in zip(*rows, strict=True)]
    return ForecastMessage("cpu", START + timedelta(seconds=300 * start), STEP, LEVELS, columns, model)


def add(series: JoinedSeries, message: ForecastMessage) -> None:
    series.add_forecast(message.model, series.grid.index(message.start), message.band)


def outer(message: ForecastMessage) -> list[tuple[float, float, float]]:
    return [(row[0], row[2], row[4]) for row in message.rows]


def story(
    seed: int, horizon: int = HORIZON
) -> tuple[dict[int, float], list[ForecastMessage], list[tuple[int, object]]]:
    """Readings with gaps, forecasts of two models, and both in the order of time, each message with its step."""
    rng = np.random.default_rng(seed)
    readings = {at: float(50 + rng.normal()) for at in range(LENGTH) if rng.random() > 0.05}
    forecasts = [forecast(at, rng, f"forecast/{1 + at // 60}", horizon) for at in range(1, LENGTH)]
    messages: list[tuple[int, object]] = [(at, (at, value)) for at, value in readings.items()]
    messages += [(at, message) for at, message in enumerate(forecasts, start=1)]
    return readings, forecasts, messages


def played(messages: list[tuple[int, object]]) -> JoinedSeries:
    series = JoinedSeries(SeriesGrid(START, STEP))
    for _, message in messages:
        if isinstance(message, ForecastMessage):
            add(series, message)
        else:
            series.add_reading(*message)
        list(series.judge(DetectorSettings()))
    return series


def check(series: JoinedSeries, readings: dict[int, float], forecasts: list[ForecastMessage]) -> None:
    models = {message.model for message in forecasts}
    assert set(series.models) == models
    for model in models:
        of_model = [(series.grid.index(each.start), outer(each)) for each in forecasts if each.model == model]
        expected = offline_figures(readings, of_model)
        accuracy = series.accuracy(model)
        found = {"readings": accuracy.outcomes, **accuracy.total_figures()}
        assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("seed", "horizon"), [(0, 4), (1, 4), (2, 4), (3, 40), (4, 100)])
def test_accuracy_equals_an_offline_recomputation_in_any_order_of_the_topics(seed: int, horizon: int) -> None:
    readings, forecasts, messages = story(seed, horizon)
    shuffle = random.Random(seed)
    messages.sort(key=lambda each: each[0] + shuffle.uniform(0, 6))
    check(played(messages), readings, forecasts)


def test_a_late_reading_and_a_correction_change_what_they_affect() -> None:
    readings, forecasts, messages = story(9)
    messages.sort(key=lambda each: each[0])
    series = played(messages)
    for at in (LENGTH - 6, LENGTH - 3):
        readings[at] = 61.5
        series.add_reading(at, 61.5)
    check(series, readings, forecasts)


def test_a_repeat_changes_nothing() -> None:
    readings, forecasts, messages = story(3)
    messages.sort(key=lambda each: each[0])
    repeated = [each for message in messages for each in (message, message)]
    check(played(repeated), readings, forecasts)


@pytest.mark.parametrize("horizon", [4, 40])
def test_a_restored_series_continues_alike(horizon: int) -> None:
    _, _, messages = story(4, horizon)
    messages.sort(key=lambda each: each[0])
    whole = played(messages)
    half = played(messages[:150])
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(half.state()))
    restored = JoinedSeries.restored(state)
    for _, message in messages[150:]:
        if isinstance(message, ForecastMessage):
            add(restored, message)
        else:
            restored.add_reading(*message)
        list(restored.judge(DetectorSettings()))
    assert msgspec.msgpack.encode(restored.state()) == msgspec.msgpack.encode(whole.state())


def test_a_late_forecast_counts_also_for_settled_readings() -> None:
    readings, forecasts, messages = story(5, 30)
    late = (50, next(each for each in forecasts if each.start == START + timedelta(seconds=300 * 50)))
    messages.sort(key=lambda each: each[0])
    messages.remove(late)
    messages.insert(next(place for place, each in enumerate(messages) if each[0] == 75), late)
    check(played(messages), readings, forecasts)


def test_a_forecast_far_in_the_future_is_ignored() -> None:
    readings, forecasts, messages = story(6)
    messages.sort(key=lambda each: each[0])
    messages.insert(100, (50, forecast(10_000, np.random.default_rng(0))))
    check(played(messages), readings, forecasts)


def test_a_reading_waits_for_its_forecast() -> None:
    rng = np.random.default_rng(0)
    series = JoinedSeries(SeriesGrid(START, STEP))
    series.add_reading(0, 50.0)
    series.add_reading(1, 51.0)
    assert list(series.judge(DetectorSettings())) == []
    add(series, forecast(1, rng))
    assert [judged.value for judged in series.judge(DetectorSettings())] == [50.0, 51.0]


def test_a_reading_without_a_forecast_waits_only_for_a_few_readings() -> None:
    series = JoinedSeries(SeriesGrid(START, STEP))
    judged = []
    for at in range(10):
        series.add_reading(at, 50.0 + at)
        judged += [each.value for each in series.judge(DetectorSettings())]
    assert judged == [50.0 + at for at in range(7)]


def test_memory_is_bounded_when_a_topic_is_alone() -> None:
    rng = np.random.default_rng(0)
    alone = JoinedSeries(SeriesGrid(START, STEP))
    for at in range(1, 500):
        add(alone, forecast(at, rng))
    assert all(each.size < 50 for each in alone.forecasts.values())
    for at in range(1_000, 2_000):
        alone.add_reading(at, 50.0)
        list(alone.judge(DetectorSettings()))
    assert alone.readings.size < 50


def test_a_reading_that_waits_is_judged_after_a_long_gap() -> None:
    series = JoinedSeries(SeriesGrid(START, STEP))
    judged = []
    for at in (0, 1, 2, 500, 501, 502, 503):
        series.add_reading(at, float(at))
        judged += [each.value for each in series.judge(DetectorSettings())]
    assert judged == [0.0, 1.0, 2.0, 500.0]


def test_the_forecasts_of_few_models_are_kept() -> None:
    series = JoinedSeries(SeriesGrid(START, STEP))
    rng = np.random.default_rng(0)
    for at in range(1, 3 * MAX_MODELS):
        add(series, forecast(at, rng, f"forecast/{at}"))
    newest = range(2 * MAX_MODELS, 3 * MAX_MODELS)
    assert series.models == [f"forecast/{at}" for at in newest]
