"""The step that is found for a series and its grid."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from fncast.series.grid import Corrections, to_grid
from fncast.series.step import Step
from fncast.series.time_series import TimeSeries
from tests.fncast.series.csv.texts import START, read
from tests.fncast.series.grids import BERLIN, assert_as_is, grid


@pytest.mark.parametrize(
    ("days", "count"), [(28, 5), (28, 60), (30, 12), (30, 100), (31, 24), (91, 20), (365, 9)]
)
def test_a_number_of_days_is_not_a_month(days: int, count: int) -> None:
    start = datetime(2023, 1, 17, tzinfo=UTC)
    times = [start + timedelta(days=days * number) for number in range(count)]
    assert_as_is(times, f"P{days}D")


def test_days_of_a_time_zone_have_23_to_25_hours() -> None:
    times = [datetime(2026, 1, 1, tzinfo=BERLIN) + timedelta(days=number) for number in range(365)]
    series, corrections = grid(times, zone=BERLIN)
    assert (str(series.step), len(series), bool(corrections)) == ("P1D", 365, False)


@pytest.mark.parametrize("days", [14, 15, 16])
def test_steps_of_two_weeks_are_read(tmp_path: Path, days: int) -> None:
    dates = [(START + timedelta(days=days * at)).date() for at in range(30)]
    summary = read(tmp_path, "date,x\n" + "".join(f"{date},{at}\n" for at, date in enumerate(dates)))
    assert (str(summary.series[0].step), summary.problems()) == (f"P{days}D", [])


def seconds_grid(times_s: list[float]) -> tuple[TimeSeries, Corrections]:
    return to_grid("sensor", np.array(times_s), np.arange(float(len(times_s))))


@pytest.mark.parametrize("rate", [3, 30, 60])
def test_readings_per_second_with_rounded_times_keep_their_rate(rate: int) -> None:
    series, corrections = seconds_grid([round(at / rate, 3) for at in range(2000)])
    assert corrections.replaced == corrections.missing == 0
    assert (len(series) - 1) * (series.step.period_s or 0) == pytest.approx(1999 / rate, rel=1e-3)


def test_jitter_with_a_commonest_distance_beside_the_step_moves_no_reading_to_another_step() -> None:
    series, corrections = seconds_grid([3600.0 * at + at % 3 + at % 10 / 10 for at in range(2000)])
    assert (series.step, len(series)) == (Step.seconds(3600), 2000)
    assert corrections.replaced == corrections.missing == 0


def test_readings_with_many_gaps_keep_their_step() -> None:
    """Only changes are recorded: two of three minutes have no reading."""
    minutes = [minute for minute in range(3000) if minute * 7 % 10 in (0, 1, 4)]
    series, corrections = seconds_grid([60.0 * minute for minute in minutes])
    assert series.step == Step.seconds(60)
    assert series.values[minutes].tolist() == list(range(len(minutes)))
    assert (corrections.replaced, corrections.off_grid) == (0, 0)


@pytest.mark.parametrize("step_s", [2.5, 61, 900, 86_400, 3 * 86_400, 7 * 86_400, 28 * 86_400])
def test_jitter_does_not_change_the_step(step_s: float) -> None:
    series, corrections = seconds_grid([step_s * (at + at * 7 % 10 / 100) for at in range(100)])
    assert (series.step, len(series)) == (Step.seconds(step_s), 100)
    assert corrections.replaced == corrections.missing == 0


def test_readings_a_microsecond_apart_have_a_step_of_a_microsecond() -> None:
    times_s = 1_700_000_000.0 + np.arange(3) / 1e6  # float64 holds them with a distance of 0.95 microseconds
    series, _ = to_grid("fast", times_s, np.arange(3.0))
    assert series.step == Step.seconds(1e-6)
    assert len(series) == 3
