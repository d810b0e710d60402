from datetime import UTC, date, datetime, timedelta
from datetime import time as clock
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fncast.series.csv.file import CsvError, CsvOptions, read_csv, read_csv_file
from fncast.series.grid import Mended
from fncast.series.step import Step
from fncast.series.time_series import TimeSeries
from fncast.series.window import MAX_MAGNITUDE

BERLIN = ZoneInfo("Europe/Berlin")


def write(folder: Path, text: str | bytes, name: str = "cpu.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def read_one(folder: Path, text: str | bytes) -> tuple[TimeSeries, Mended]:
    summary = read_csv_file(write(folder, text))
    [series], [mended] = summary.series, summary.mended
    return series, mended


def test_a_file_of_times_and_values_is_one_series(tmp_path: Path) -> None:
    series, mended = read_one(tmp_path, "timestamp,value\n2026-01-01 00:00:00,1\n2026-01-01 00:05:00,2.5\n")
    assert (series.name, series.start) == ("cpu", datetime(2026, 1, 1, tzinfo=UTC))
    assert series.step == Step.seconds(300.0)
    assert series.values.tolist() == [1.0, 2.5]
    assert not mended


@pytest.mark.parametrize(
    ("first", "second", "start", "step"),
    [
        ("1767225600", "1767225601.5", datetime(2026, 1, 1, tzinfo=UTC), Step.seconds(1.5)),
        ("1767225600000", "1767225600250", datetime(2026, 1, 1, tzinfo=UTC), Step.seconds(0.25)),
        ("1712123112", "1712123113", datetime(2024, 4, 3, 5, 45, 12, tzinfo=UTC), Step.seconds(1.0)),
        (
            "2026-01-01T01:00:00+01:00",
            "2026-01-01T00:00:10Z",
            datetime(2026, 1, 1, tzinfo=UTC),
            Step.seconds(10.0),
        ),
        ("1949", "1950", datetime(1949, 1, 1, tzinfo=UTC), Step.calendar("P1Y")),
        ("1949-01", "1949-02", datetime(1949, 1, 1, tzinfo=UTC), Step.calendar("P1M")),
        ("20260101", "20260102", datetime(2026, 1, 1, tzinfo=UTC), Step.seconds(86400.0)),
    ],
)
def test_each_form_of_time_gives_start_and_step(
    tmp_path: Path, first: str, second: str, start: datetime, step: Step
) -> None:
    series, _ = read_one(tmp_path, f"timestamp,value\n{first},1\n{second},2\n")
    assert (series.start, series.step) == (start, step)


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
    series, mended = read_one(
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
    assert mended == Mended(
        "cpu", 9, out_of_order=1, exact_repeats=1, replaced=1, off_grid=1, gaps=2, missing=4
    )
    assert "4 missing in 2 gaps, bridged in windows that are at least half full" in str(mended)


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
    [series], [mended] = summary.series, summary.mended
    assert series.step == Step.calendar(period)
    np.testing.assert_array_equal(series.values, values)
    assert mended.off_grid == (1 if period == "P1M" else 3)


def test_a_given_step_that_leaves_the_grid_mostly_empty_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, "timestamp,value\n0,1\n300,2\n600,3\n")
    with pytest.raises(CsvError, match="was given a step of 1 s, but its 3 readings span 601 steps"):
        read_csv(path, CsvOptions(step=Step.seconds(1)))


def test_month_ends_are_monthly(tmp_path: Path) -> None:
    series, _ = read_one(tmp_path, "date,value\n2026-01-31,1\n2026-02-28,2\n2026-03-31,3\n2026-04-30,4\n")
    assert series.step == Step.calendar("P1M")
    assert series.values.tolist() == [1, 2, 3, 4]


def last_day(number: int) -> date:
    """The last day of the month `number` months after January 2024."""
    following = number + 1
    return date(2024 + following // 12, following % 12 + 1, 1) - timedelta(days=1)


@pytest.mark.parametrize("column", ["date", "date,series"])
@pytest.mark.parametrize(
    ("time", "offset_h"),
    [
        ("T00:00+01:00", 1),
        ("T00:00:00+01:00", 1),
        (" 00:00 +0100", 1),
        ("T00:00:00-05:00", -5),
        ("T23:59:59+13:00", 13),
        ("T00:00:00Z", 0),
    ],
)
def test_month_ends_of_an_offset_stay_month_ends(
    tmp_path: Path, time: str, offset_h: int, column: str
) -> None:
    key = ",a" if "," in column else ""
    lines = [f"{last_day(number)}{time}{key},{number}" for number in range(14)]
    series, mended = read_one(tmp_path, "\n".join([f"{column},value", *lines, ""]))
    assert (str(series.step), bool(mended)) == ("P1M", False)
    assert series.start.utcoffset() == timedelta(hours=offset_h)
    assert [series.time(number).date() for number in range(30)] == [last_day(n) for n in range(30)]


def test_month_ends_in_summer_and_winter_time_stay_month_ends(tmp_path: Path) -> None:
    """Without a time zone the commonest offset counts. A difference of one hour moves no reading."""
    midnights = [datetime.combine(last_day(number), clock.min, tzinfo=BERLIN) for number in range(14)]
    text = "".join(f"{time.isoformat()},1\n" for time in midnights)
    series, mended = read_one(tmp_path, f"date,value\n{text}")
    assert (str(series.step), series.step.day, bool(mended)) == ("P1M", 31, False)
    [series] = read_csv_file(tmp_path / "cpu.csv", CsvOptions(timezone=BERLIN)).series
    assert [series.time(number) for number in range(14)] == midnights


@pytest.mark.parametrize("times_of_day", [[0], [0, 6]])
@pytest.mark.parametrize("step", [None, Step.calendar("P1M")])
def test_month_ends_of_a_time_zone_stay_month_ends(
    tmp_path: Path, times_of_day: list[int], step: Step | None
) -> None:
    """Also if the times of day differ, so that they are converted to UTC."""
    text = "".join(
        f"{last_day(number)} {times_of_day[number % len(times_of_day)]:02}:00,1\n" for number in range(14)
    )
    path = write(tmp_path, f"date,value\n{text}")
    summary = read_csv_file(path, CsvOptions(timezone=BERLIN, step=step))
    [series], [mended] = summary.series, summary.mended
    assert (str(series.step), bool(mended)) == ("P1M", False)
    assert [series.time(number).date() for number in range(30)] == [last_day(n) for n in range(30)]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        ("timestamp,value\n", "has a header but no readings"),
        ("timestamp\n2026-01-01\n", "has one column only"),
        ("timestamp,value\n2026-01-01,1\n", "has only one reading"),
        ("timestamp,value\n2026-01-01,1\n2026-01-01,1\n", "has only one reading"),
        (
            "timestamp,value\n2026-01-01,1\n2026-01-02,warm\n",
            "line 3: 'warm' is not a number (column 'value')",
        ),
        ("timestamp,value\n2026-01-01,1\n2026-01-02,inf\n", "line 3: 'inf' (column 'value') is not a finite"),
        ("timestamp,value\n2026-01-01,1\n2026-01-02,1e300\n", "line 3: '1e300' (column 'value') is beyond"),
        ("timestamp,value\n2026-01-01,1\nyesterday,2\n", "line 3: 'yesterday' is not a time"),
        ("timestamp,value\n2026-01-01,1\nnan,2\n", "line 3: 'nan' is not a time"),
        ("timestamp,value\n2026-01-01,1\n2026-01-02,2,3\n", "line 3: has 3 fields, the header 2"),
        ("timestamp,a,b,a\n2026-01-01,1,2,3\n2026-01-02,1,2,3\n", "columns 2, 4 have the same name, 'a'"),
        ("time,a,time\n2026-01-01,1,2\n2026-01-02,1,2\n", "columns 1, 3 have the same name, 'time'"),
        (
            "timestamp,a,b,c\n2026-01-01,x,y,1\n2026-01-02,z,y,1\n2026-01-03,z,x,1\n",
            "columns 'a', 'b' hold text",
        ),
        ("timestamp,value\n2026-01-01,1\n".encode("utf-16")[:-1], "is damaged UTF-16 text"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "is not a text file"),
        ("timestamp,value\n0,1\n1,2\n2,3\n5000000000,4\n", "correct a wrong time"),
    ],
)
def test_errors_name_file_line_and_value(tmp_path: Path, text: str | bytes, sentence: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(CsvError) as caught:
        read_csv(path)
    assert str(path) in str(caught.value)
    assert sentence in str(caught.value)


def test_a_missing_file_and_a_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(CsvError, match="there is no such file"):
        read_csv(tmp_path / "none.csv")
    with pytest.raises(CsvError, match="is a folder"):
        read_csv(tmp_path)


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
    series, mended = read_one(tmp_path, "timestamp,value\n" + "\n".join(order))
    expected = [np.nan if v is None else v for v in values]
    assert series.start == start
    np.testing.assert_array_equal(series.values, expected)
    assert mended.missing == values.count(None)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    st.binary(max_size=200) | st.text(alphabet='tv,;\n"0123456789-:.eE naif', max_size=200).map(str.encode)
)
def test_any_bytes_are_series_or_a_csv_error(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path, content)
    try:
        series = read_csv(path)
    except CsvError:
        return
    assert all(np.isfinite(each.values[~np.isnan(each.values)]).all() for each in series)
