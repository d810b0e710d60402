"""Skill over the seasonal naive, against an offline recomputation."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest

from fncast.monitor.accuracy.season import season_steps
from fncast.monitor.anomalies.detector import DetectorSettings
from fncast.monitor.joining.joined_series import MAX_LATE, SETTLED_STEPS, JoinedSeries
from fncast.monitor.joining.series_grid import SeriesGrid
from fncast.monitor.messages import ForecastMessage
from fncast.series.step import Step
from tests.fncast.monitor.offline_accuracy import weight_of

START = datetime(2026, 5, 1, tzinfo=UTC)
LEVELS, LENGTH = (0.1, 0.5, 0.9), 200


def story(seed: int, season: int, horizon: int) -> tuple[dict[int, float], list[ForecastMessage]]:
    """Readings with a daily season and gaps, and a forecast after each step."""
    rng = np.random.default_rng(seed)
    readings = {
        at: 50 + 9 * math.sin(at * math.tau / season) + float(rng.normal())
        for at in range(LENGTH)
        if rng.random() > 0.1
    }
    forecasts, step = [], timedelta(days=1) / season
    for at in range(1, LENGTH):
        rows = [(v - 2, v, v + 2) for v in (50 + rng.normal(size=horizon)).tolist()]
        columns = [list(column) for column in zip(*rows, strict=True)]
        forecasts.append(
            ForecastMessage(
                "cpu", START + at * step, Step.seconds(step.total_seconds()), LEVELS, columns, "m/1"
            )
        )
    return readings, forecasts


def offline_skill(readings: dict[int, float], forecasts: list[ForecastMessage], season: int) -> float:
    error, naive_error = [], []
    for start, message in enumerate(forecasts, start=1):
        for at, (_, median, _) in enumerate(message.rows, start=start):
            known = [before for before in range(at - season, -1, -season) if before < start]
            if start - 1 in readings and at in readings and known and known[0] in readings:
                weight = weight_of(at - start + 1)
                error.append(weight * abs(readings[at] - median))
                naive_error.append(weight * abs(readings[at] - readings[known[0]]))
    return 1 - sum(error) / sum(naive_error)


@pytest.mark.parametrize(("season", "horizon"), [(24, 3), (24, 34), (4, 3), (4, 10)])
@pytest.mark.parametrize("seed", range(3))
def test_skill_over_the_seasonal_naive_equals_a_recomputation(seed: int, season: int, horizon: int) -> None:
    readings, forecasts = story(seed, season, horizon)
    shuffle = random.Random(seed)
    messages = [(at + shuffle.uniform(0, 6), (at, value)) for at, value in readings.items()]
    messages += [(at + shuffle.uniform(0, 6), message) for at, message in enumerate(forecasts, start=1)]
    for at in shuffle.sample(sorted(readings), 20):  # corrections
        messages.append((at + 8.0, (at, 60.0)))
        readings[at] = 60.0
    series = JoinedSeries(SeriesGrid(START, forecasts[0].step))
    for number, (_, message) in enumerate(sorted(messages, key=lambda each: each[0])):
        if isinstance(message, ForecastMessage):
            series.add_forecast(message.model, series.grid.index(message.start), message.band)
        else:
            series.add_reading(*message)
        list(series.judge(DetectorSettings()))
        if number % 50 == 0:
            series = JoinedSeries.restored(msgspec.msgpack.decode(msgspec.msgpack.encode(series.state())))
    accuracy = series.accuracy("m/1")
    assert accuracy.seasonal_skill() == pytest.approx(offline_skill(readings, forecasts, season), abs=1e-9)
    assert accuracy.seasonal_day_skill() is not None
    assert series.readings.size <= season + horizon + MAX_LATE + SETTLED_STEPS + 2


@pytest.mark.parametrize(
    ("step", "steps"),
    [
        (Step.seconds(3600.0), 24),
        (Step.seconds(1800.0), 48),
        (Step.seconds(43_200.0), 2),
        (Step.seconds(300.0), 0),
        (Step.seconds(86_400.0), 0),
        (Step.seconds(5000.0), 0),
        (Step.of_months(1), 0),
    ],
)
def test_the_season_is_a_day_of_few_steps(step: Step, steps: int) -> None:
    assert season_steps(step) == steps


def test_without_a_season_there_is_no_skill_over_it() -> None:
    _, forecasts = story(0, 24, 3)
    series = JoinedSeries(SeriesGrid(START, Step.seconds(300.0)))
    start = series.grid.index(forecasts[0].start)
    series.add_reading(start - 1, 50.0)
    series.add_forecast("m/1", start, forecasts[0].band)
    series.add_reading(start, 51.0)
    assert series.accuracy("m/1").outcomes == 1
    assert series.accuracy("m/1").seasonal_skill() is None
