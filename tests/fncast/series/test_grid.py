"""The step that is found for a series and its grid."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

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
