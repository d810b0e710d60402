"""Columns of a table become series on a regular grid."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fncast.series.csv.file import CsvError, CsvOptions, read_csv, read_csv_file
from fncast.series.grid import Corrections
from fncast.series.step import Step
from fncast.series.window import MAX_MAGNITUDE
from tests.fncast.series.csv.files import read_one, write


def test_wide_file_is_one_series_a_column(tmp_path: Path) -> None:
    path = write(tmp_path, "date;shop;café\n2026-01-01;1;10\n2026-01-02;2;\n2026-01-03;3;30\n")
    shop, cafe = read_csv(path)
    assert (shop.name, cafe.name) == ("shop", "café")
    np.testing.assert_array_equal(cafe.values, [10, np.nan, 30])
    [only] = read_csv(path, CsvOptions(value_columns=("shop",)))
    assert only.name == "shop"


def test_the_columns_that_the_caller_names_are_read(tmp_path: Path) -> None:
    path = write(tmp_path, "note,when,shelf,sold\nx,2026-01-01,1,5\ny,2026-01-02,1,6\n")
    [series] = read_csv(
        path, CsvOptions(time_column="when", value_columns=("sold",), series_columns=("shelf",))
    )
    assert (series.name, series.values.tolist()) == ("1", [5, 6])
    with pytest.raises(CsvError, match="no column 'sales'; the columns are note, when, shelf, sold"):
        read_csv(path, CsvOptions(value_columns=("sales",)))


def test_a_repeated_name_is_an_error_only_if_its_column_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, "timestamp,a,a,sold\n2026-01-01,1,2,5\n2026-01-02,1,2,6\n")
    [series] = read_csv(path, CsvOptions(value_columns=("sold",)))
    assert series.values.tolist() == [5, 6]
    with pytest.raises(CsvError, match="columns 2, 3 have the same name, 'a'"):
        read_csv(path, CsvOptions(value_columns=("a",)))


@pytest.mark.parametrize(
    ("header", "line"),
    [
        (",timestamp,value", "{0},2026-01-0{0},{0}"),
        ("Unnamed: 0,timestamp,value", "{0},2026-01-0{0},{0}"),
        ("timestamp,value,", "2026-01-0{0},{0},"),
        (",unique_id,ds,y", "{0},7,2026-01-0{0},{0}"),
        (",value", "2026-01-0{0},{0}"),  # the time itself may have no name
    ],
)
def test_a_column_without_a_name_holds_no_readings(tmp_path: Path, header: str, line: str) -> None:
    text = "\n".join([header, *(line.format(day) for day in (1, 2, 3))])
    [series] = read_csv(write(tmp_path, text))
    assert series.name == ("7" if "unique_id" in header else "cpu")
    assert series.values.tolist() == [1, 2, 3]


def test_a_column_without_a_name_may_name_the_series(tmp_path: Path) -> None:
    found = read_csv(
        write(tmp_path, ",ds,y\na,2026-01-01,1\nb,2026-01-01,2\na,2026-01-02,3\nb,2026-01-02,4\n")
    )
    assert {series.name: series.values.tolist() for series in found} == {"a": [1, 3], "b": [2, 4]}


def test_corrections_are_reported(tmp_path: Path) -> None:
    series, corrections = read_one(
        tmp_path,
        "timestamp,value\n"
        "2026-01-01T00:00:00,0\n"
        "2026-01-01T00:02:00,2\n"
        "2026-01-01T00:01:00,1\n"  # out of order
        "2026-01-01T00:02:00,2\n"  # exact repeat
        "2026-01-01T00:03:00,9\n"
        "2026-01-01T00:03:00,3\n"  # replaces
        "2026-01-01T00:07:10,7\n"  # after a gap of three, off the grid
        "2026-01-01T00:08:00,null\n"
        "2026-01-01T00:09:00,9\n",
    )
    np.testing.assert_array_equal(series.values, [0, 1, 2, 3, np.nan, np.nan, np.nan, 7, np.nan, 9])
    assert corrections == Corrections(
        "cpu", 9, out_of_order=1, exact_repeats=1, replaced=1, off_grid=1, gaps=2, missing=4
    )
    assert "4 missing in 2 gaps, bridged in windows that are at least half full" in str(corrections)


def test_jittering_times_find_their_step(tmp_path: Path) -> None:
    jitter = np.random.default_rng(0).uniform(-0.02, 0.02, 400)
    lines = [f"{1.7e9 + 0.25 * i + jitter[i]:.6f},{i}" for i in range(400)]
    series, _ = read_one(tmp_path, "timestamp,value\n" + "\n".join(lines))
    assert series.step == Step.seconds(0.25)
    np.testing.assert_array_equal(series.values, np.arange(400))


def test_a_given_step_overrides_the_found_one(tmp_path: Path) -> None:
    path = write(tmp_path, "timestamp,value\n0,0\n120,2\n240,4\n300,5\n")
    [series] = read_csv(path)
    assert series.step == Step.seconds(120)
    [series] = read_csv(path, CsvOptions(step=Step.seconds(60)))
    assert series.step == Step.seconds(60)
    np.testing.assert_array_equal(series.values, [0, np.nan, 2, np.nan, 4, 5])


@pytest.mark.parametrize(("period", "values"), [("P1M", [1, 2, np.nan, 4, 5]), ("P1Y", [2, 5])])
def test_a_calendar_step_puts_each_reading_into_its_month_or_year(
    tmp_path: Path, period: str, values: list[float]
) -> None:
    text = "date,value\n2025-11-03,1\n2025-12-03,2\n2026-02-05,4\n2026-03-03,5\n"
    summary = read_csv_file(write(tmp_path, text), CsvOptions(step=Step.calendar(period)))
    [series], [corrections] = summary.series, summary.corrections
    assert series.step == Step.calendar(period)
    np.testing.assert_array_equal(series.values, values)
    assert corrections.off_grid == (1 if period == "P1M" else 3)


def test_a_given_step_that_leaves_the_grid_mostly_empty_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, "timestamp,value\n0,1\n300,2\n600,3\n")
    with pytest.raises(CsvError, match="was given a step of 1 s, but its 3 readings span 601 steps"):
        read_csv(path, CsvOptions(step=Step.seconds(1)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.data())
def test_any_order_and_gaps_give_the_same_series(tmp_path: Path, data: st.DataObject) -> None:
    values = data.draw(
        st.lists(st.none() | st.floats(-MAX_MAGNITUDE, MAX_MAGNITUDE), min_size=6, max_size=30)
    )
    values[:3] = [1.0, 2.0, 3.0]
    values[-2:] = [4.0, 5.0]
    read = [i for i, v in enumerate(values) if v is not None]
    # The step is the commonest distance. With every second reading missing it would be two minutes.
    assume(2 * sum(b - a == 1 for a, b in pairwise(read)) > len(read) - 1)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    lines = [f"{start + timedelta(minutes=i)},{v!r}" for i, v in enumerate(values) if v is not None]
    order = data.draw(st.permutations(lines))
    series, corrections = read_one(tmp_path, "timestamp,value\n" + "\n".join(order))
    expected = [np.nan if v is None else v for v in values]
    assert series.start == start
    np.testing.assert_array_equal(series.values, expected)
    assert corrections.missing == values.count(None)
