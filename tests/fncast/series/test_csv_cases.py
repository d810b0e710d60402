"""Files of people and programs: each is read correctly, or an error names the flag to set."""

from __future__ import annotations

import gzip
import io
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest

from fncast.series.csv_file import CsvError, CsvOptions, read_csv_file
from fncast.series.csv_summary import Summary
from fncast.series.csv_zone import find_zone
from fncast.series.step import Step

HOURS = [f"2026-01-01T{hour:02}:00Z" for hour in range(24)]
START = datetime(2026, 1, 1, tzinfo=UTC)


def lines(header: str, line: Callable[[int], str], count: int = 10) -> str:
    return "\n".join([header, *(line(i) for i in range(count))]) + "\n"


def read(folder: Path, text: str | bytes, **options: object) -> Summary:
    path = folder / "file.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_csv_file(path, CsvOptions(**options))  # type: ignore[arg-type]


def values(summary: Summary) -> dict[str, list[float]]:
    return {one.name: one.values.tolist() for one in summary.series}


@pytest.mark.parametrize(
    ("cell", "meant", "unit"),
    [
        (lambda i: f"{20 + i},0", lambda i: 20.0 + i, None),
        (lambda i: f"{20 + i},5 °C", lambda i: 20.5 + i, "°C"),
        (lambda i: f"{45 + i}%", lambda i: 45.0 + i, "%"),
        (lambda i: f"{45 + i} %", lambda i: 45.0 + i, "%"),
        (lambda i: f"1\u202f{299 + i}", lambda i: 1299.0 + i, None),
        (lambda i: f"1 {299 + i}", lambda i: 1299.0 + i, None),
        (lambda i: f"1\u00a0{299 + i},25", lambda i: 1299.25 + i, None),
        (lambda i: f"1'{299 + i}.5", lambda i: 1299.5 + i, None),
        (lambda i: f"1.{299 + i},5", lambda i: 1299.5 + i, None),
        (lambda i: f"1,234,{300 + i}", lambda i: 1_234_300.0 + i, None),
        (lambda i: f"12,34,{300 + i}.5", lambda i: 1_234_300.5 + i, None),
        (lambda i: f"1.234.{300 + i}", lambda i: 1_234_300.0 + i, None),
        (lambda i: f"−{i + 1}", lambda i: -1.0 - i, None),
        (lambda i: f"{i}E+2", lambda i: 100.0 * i, None),
        (lambda i: f"€ {i}.50", lambda i: i + 0.5, "€"),
        (lambda i: f"{i}kWh", float, "kWh"),
    ],
)
def test_numbers_are_read_as_meant(
    tmp_path: Path, cell: Callable[[int], str], meant: Callable[[int], float], unit: str | None
) -> None:
    summary = read(tmp_path, lines("Zeit;Temperatur;Feuchte", lambda i: f"{HOURS[i]};{cell(i)};45"))
    first, second = summary.series
    assert (first.name, first.unit, second.name) == ("Temperatur", unit, "Feuchte")
    np.testing.assert_allclose(first.values, [meant(i) for i in range(10)], rtol=1e-12)
    assert second.values.tolist() == [45.0] * 10
    assert summary.problems() == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            lines("Zeit;x", lambda i: f"{HOURS[i]};1.{299 + i}"),
            "line 2: '1.299' (column 'x') may be 1.299 or 1299; say --decimal point (for 1.299) or --decimal comma"
            " (for 1299)",
        ),
        (
            lines("Zeit\tx", lambda i: f"{HOURS[i]}\t1.{299 + i}"),
            "line 2: '1.299' (column 'x') may be 1.299 or 1299",
        ),
        (
            lines("Zeit;x", lambda i: f"{HOURS[i]};{'999' if i < 3 else '1.000'}"),
            "line 5: '1.000' (column 'x') may be 1 or 1000",
        ),
        (
            lines("time,x", lambda i: f"{HOURS[i]},{'999' if i < 3 else '1.000'}"),
            "line 5: '1.000' (column 'x') may be 1 or 1000",
        ),
        (
            lines("time,x,y", lambda i: f'{HOURS[i]},"1,{299 + i}",{i}'),
            "line 2: '1,299' (column 'x') may be 1299 or 1.299",
        ),
        (
            lines("Zeit;x", lambda i: f"{HOURS[i]};{'1.5' if i < 3 else '2,5'}"),
            "line 2: '1.5' (column 'x') has a decimal point, but",
        ),
        (
            lines("time,x", lambda i: f"{HOURS[i]},{'45%' if i else '46'}"),
            "line 2: '46' (column 'x') has no unit, but line 3 has the unit '%'",
        ),
        (
            lines("time,x", lambda i: f"{HOURS[i]},{'1 MB' if i % 2 else '900 kB'}"),
            "line 3: '1 MB' (column 'x')",
        ),
        (
            lines("ds,y", lambda i: f"{HOURS[i]},{'2_0' if i == 3 else i}"),
            "line 5: '2_0' is not a number (column 'y')",
        ),
        (lines("ds,y", lambda i: f"{HOURS[i]},{'(5)' if i == 3 else i}"), "line 5: '(5)' is not a number"),
    ],
)
def test_an_ambiguous_number_is_an_error_that_names_the_flag(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(CsvError) as caught:
        read(tmp_path, text)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(("decimal", "value"), [("point", 1.299), ("comma", 1299.0)])
def test_the_decimal_flag_decides(tmp_path: Path, decimal: str, value: float) -> None:
    summary = read(tmp_path, lines("Zeit;x", lambda i: f"{HOURS[i]};1.299"), decimal=decimal)
    assert summary.series[0].values.tolist() == [value] * 10


def test_a_factor_of_1000_that_another_column_shows_is_reported(tmp_path: Path) -> None:
    summary = read(tmp_path, lines("Zeit;x;y", lambda i: f"{HOURS[i]};1.{299 + i};{i},5"))
    assert values(summary)["x"] == [1299.0 + i for i in range(10)]
    assert any(
        "'1.299' was read as 1299, since column 'y' has a decimal comma" in line for line in summary.lines()
    )


@pytest.mark.parametrize(
    "marker",
    [
        "unavailable",
        "unknown",
        "Unknown",
        "none",
        "null",
        "nan",
        "NA",
        "N/A",
        "#N/A",
        "\\N",
        ".",
        "-",
        "--",
        "?",
    ],
)
def test_markers_of_missing_readings(tmp_path: Path, marker: str) -> None:
    summary = read(tmp_path, lines("time,a,b", lambda i: f"{HOURS[i]},{marker if i == 4 else i},{i}"))
    expected = [float(i) if i != 4 else np.nan for i in range(10)]
    np.testing.assert_array_equal(values(summary)["a"], expected)
    assert summary.missing == 1
    assert any(f"read as missing: {marker!r} once" in line for line in summary.lines())
    assert summary.problems() == ["1 reading missing"]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [("unavailable", "it holds no reading"), ("", "it is empty"), ("open", "it holds text, 'open' only")],
)
def test_a_column_without_numbers_is_reported(tmp_path: Path, cell: str, reason: str) -> None:
    summary = read(tmp_path, lines("time,a,b", lambda i: f"{HOURS[i]},{cell},{i}"))
    assert list(values(summary)) == ["b"]
    assert summary.skipped == {"column 'a'": reason}
    assert f"  not read: column 'a': {reason}" in summary.lines()
    assert "column 'a' not read" in summary.problems()


@pytest.mark.parametrize(
    "pair", [("12_01", "12_02"), ("101", "102"), ("1e3", "2e3"), ("007", "008"), ("a", "b")]
)
def test_a_device_column_names_the_series(tmp_path: Path, pair: tuple[str, str]) -> None:
    summary = read(tmp_path, lines("ds,device,y", lambda i: f"{HOURS[i // 2]},{pair[i % 2]},{i}"))
    assert values(summary) == {pair[0]: [0, 2, 4, 6, 8], pair[1]: [1, 3, 5, 7, 9]}


@pytest.mark.parametrize("header", ["time,count", "time,meter_id,count"])
def test_numbers_with_leading_zeros_are_readings_where_nothing_else_is(tmp_path: Path, header: str) -> None:
    meter = "7," if "meter" in header else ""
    summary = read(tmp_path, lines(header, lambda i: f"{HOURS[i]},{meter}{i + 95:06}"))
    assert list(values(summary).values()) == [[95.0 + i for i in range(10)]]
    assert summary.skipped == {}


def test_numbers_that_may_name_the_series_are_asked_about(tmp_path: Path) -> None:
    text = lines("ds,place,y", lambda i: f"{HOURS[i // 2]},{101 + i % 2},{i}")
    with pytest.raises(
        CsvError, match=r"5 of 10 readings .* a repeated time; say .* --series-column .*'place', 'y'"
    ):
        read(tmp_path, text)
    summary = read(tmp_path, text, series_columns=("place",))
    assert values(summary) == {"101": [0, 2, 4, 6, 8], "102": [1, 3, 5, 7, 9]}


@pytest.mark.parametrize("header", ["Date,Hour,Value", "year,month,value"])
def test_several_time_columns_are_an_error(tmp_path: Path, header: str) -> None:
    first = "2026-01-01" if header.startswith("Date") else "2026"
    with pytest.raises(CsvError, match=r"9 of 10 readings .* or write date and time of day into one column"):
        read(tmp_path, lines(header, lambda i: f"{first},{i},{i}"))


def test_a_state_names_no_series(tmp_path: Path) -> None:
    summary = read(tmp_path, lines("time,open,v", lambda i: f"{HOURS[i]},{bool(i % 2)},{i}"))
    assert values(summary) == {"v": list(range(10))}
    assert summary.skipped == {"column 'open'": "it holds text, 'False' and others"}


def test_several_columns_may_name_the_series_together(tmp_path: Path) -> None:
    text = lines("ds,store,item,y", lambda i: f"{HOURS[i // 4]},{1 + i // 2 % 2},{1 + i % 2},{i}", 12)
    with pytest.raises(
        CsvError, match="columns 'store', 'item' may name the series; say which with --series-column"
    ):
        read(tmp_path, text)
    summary = read(tmp_path, text, series_columns=("store", "item"))
    assert values(summary) == {"1/1": [0, 4, 8], "1/2": [1, 5, 9], "2/1": [2, 6, 10], "2/2": [3, 7, 11]}


def test_a_delimiter_in_a_quoted_header(tmp_path: Path) -> None:
    header = 'Zeit;"Leistung, gesamt, kW";"Temperatur, außen, °C"'
    summary = read(tmp_path, lines(header, lambda i: f"{HOURS[i]};{i},5;{20 + i},1"))
    assert values(summary)["Leistung, gesamt, kW"][:2] == [0.5, 1.5]
    assert values(summary)["Temperatur, außen, °C"][:2] == [20.1, 21.1]


@pytest.mark.parametrize(
    ("cell", "start", "step"),
    [
        (lambda i: str(45674 + i), datetime(2025, 1, 17, tzinfo=UTC), Step.seconds(86400)),
        (lambda i: f"{45674 + i / 24:.6f}", datetime(2025, 1, 17, tzinfo=UTC), Step.seconds(3600)),
        (lambda i: f"20260101{i:02}", START, Step.seconds(3600)),
        (lambda i: f"20260101{i:02}30", START + timedelta(minutes=30), Step.seconds(3600)),
        (lambda i: f"202601010010{i:02}", START + timedelta(minutes=10), Step.seconds(1)),
        (lambda i: f"20260101T00{i:02}00Z", START, Step.seconds(60)),
        (lambda i: f"2020{i + 1:02}", datetime(2020, 1, 1, tzinfo=UTC), Step.calendar("P1M")),
        (lambda i: str(1_767_225_600 + i), START, Step.seconds(1)),
        (lambda i: f"{1_767_225_600 + i}.0", START, Step.seconds(1)),
        (lambda i: str((1_767_225_600 + i) * 1000), START, Step.seconds(1)),
        (lambda i: str((1_767_225_600 + i) * 10**6), START, Step.seconds(1)),
        (lambda i: str((1_767_225_600 + i) * 10**9), START, Step.seconds(1)),
        (lambda i: f"{10 + i}.01.2026 08:00", datetime(2026, 1, 10, 8, tzinfo=UTC), Step.seconds(86400)),
        (lambda i: f"{10 + i}/01/2026", datetime(2026, 1, 10, tzinfo=UTC), Step.seconds(86400)),
        (lambda i: f"1/{10 + i}/2026 1:00 PM", datetime(2026, 1, 10, 13, tzinfo=UTC), Step.seconds(86400)),
        (lambda i: f"{10 + i}-Jan-26", datetime(2026, 1, 10, tzinfo=UTC), Step.seconds(86400)),
        (lambda i: f"Jan {10 + i}, 2026", datetime(2026, 1, 10, tzinfo=UTC), Step.seconds(86400)),
        (
            lambda i: f"2026-01-01 0{i}:00:00+01:00",
            datetime(2025, 12, 31, 23, tzinfo=UTC),
            Step.seconds(3600),
        ),
        (lambda i: f"2026-01-01 0{i}:00:00.250 UTC", START + timedelta(seconds=0.25), Step.seconds(3600)),
        (
            lambda i: f"1/{10 + i}/2026, 1:00:00\u202fPM",
            datetime(2026, 1, 10, 13, tzinfo=UTC),
            Step.seconds(86400),
        ),
        (lambda i: f"2026/1/{i + 1} 24:00", datetime(2026, 1, 2, tzinfo=UTC), Step.seconds(86400)),
    ],
)
def test_times_are_read_as_meant(
    tmp_path: Path, cell: Callable[[int], str], start: datetime, step: Step
) -> None:
    summary = read(tmp_path, lines("date;value", lambda i: f"{cell(i)};{i}"))
    [series] = summary.series
    assert (series.start, series.step) == (start, step)
    assert series.values.tolist() == list(range(10))
    assert summary.problems() == []


@pytest.mark.parametrize(
    ("times", "sentence"),
    [
        (
            ["2026010122", "2026010123", "2026010125"],
            "line 4: '2026010125' is not a time of the form YYYYMMDDHH",
        ),
        (
            ["1767225600", "1767225601", "1767225602000"],
            "line 4: '1767225602000' is not a number of seconds since 1970",
        ),
        (
            ["2.02601E+11", "2.02601E+11", "2.02602E+11"],
            "'2.02601E+11' in column 'date' is not read as a time",
        ),
        (["2026-W01", "2026-W02", "2026-W03"], "'2026-W01' in column 'date' is not read as a time"),
        (
            ["01/02/2026", "02/02/2026", "03/02/2026"],
            "'01/02/2026' may have the day or the month first; say --dates",
        ),
        (["26-01-29", "26-01-30", "26-01-31"], "'26-01-29' may have the day or the month first; say --dates"),
        (["13/02/2026", "02/14/2026", "03/02/2026"], "has the day first, but '02/14/2026' the month"),
        (["2026-02-29", "2026-03-01", "2026-03-02"], "line 2: '2026-02-29' is not a time"),
        ([f"2026{week:02}" for week in range(1, 53)], "line 2: '202601' looks like a year and a week"),
        (["20261", "20262", "20263", "20264", "20271"], "line 2: '20261' looks like a year and a quarter"),
        ([f"2026.{month:02}" for month in range(1, 13)], "line 2: '2026.01' looks like a year and a month"),
        ([f"{month:02}.2026" for month in range(1, 13)], "line 2: '01.2026' looks like a month and a year"),
        (
            [str(639_000_000_000_000_000 + i * 36_000_000_000) for i in range(3)],
            "line 2: '639000000000000000' may count nanoseconds since 1970 or .NET ticks",
        ),
        (
            [str(134_000_000_000_000_000 + i * 36_000_000_000) for i in range(3)],
            "line 2: '134000000000000000' may count nanoseconds since 1970 or Windows file times",
        ),
        (["2026-03-01", "2026-03-02", ""], "line 4: '' is not a time"),
        (
            [f"2026{day:03}" for day in range(1, 9)],
            "line 2: '2026001' looks like a year and a day of the year",
        ),
        (
            [f"2026{day:03}06" for day in range(1, 9)],
            "line 2: '202600106' looks like a year and a day of the",
        ),
        (
            [f"{day:02}012026" for day in range(1, 32)],
            "line 2: '01012026' looks like a date with the day first",
        ),
        (
            [f"01{day}2026" for day in range(13, 32)],
            "line 2: '01132026' looks like a date with the month first",
        ),
        (
            [f"2601{day}" for day in range(10, 32)],
            "line 2: '260110' looks like a date with a year of two digits",
        ),
        (
            [f"2601{day}1230" for day in range(10, 32)],
            "line 2: '2601101230' looks like a date with a year of two",
        ),
        (["31.12.29", "31.12.30"], "line 3: '31.12.30' may be in this or in the last century"),
        (["1-Jan-69", "1-Jan-70"], "line 2: '1-Jan-69' may be in this or in the last century"),
        (["0000-12-31", "0001-12-31"], "line 2: '0000-12-31' is not in the years 2 to 9998"),
        (
            ["2026-01-01", "9999-12-31T23:59:59-12:00"],
            "line 3: '9999-12-31T23:59:59-12:00' is not in the years",
        ),
    ],
)
def test_a_time_never_lands_in_another_year(tmp_path: Path, times: list[str], sentence: str) -> None:
    text = lines("date,value", lambda i: f"{times[i]},{i}", len(times))
    with pytest.raises(CsvError) as caught:
        read(tmp_path, text)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "cells", [["0x1F", "0x20"], ["1_0", "2_0"], ["1.2k", "2k"], ["１２", "１３"], ["'1", "'2"]]
)
def test_numbers_in_another_form_are_not_taken_for_names_of_series(tmp_path: Path, cells: list[str]) -> None:
    text = lines("time,a,b", lambda i: f"{HOURS[i]},{cells[i % 2]},{i}")
    with pytest.raises(
        CsvError, match="may be names of series, or numbers in a form that is not read; pass --ser"
    ):
        read(tmp_path, text)
    assert set(values(read(tmp_path, text, series_columns=("a",)))) == set(cells)
    both = "".join(f"{HOURS[i]},{cell},{i}\n" for i in range(10) for cell in cells)
    assert set(values(read(tmp_path, "time,a,b\n" + both))) == set(cells)


def test_a_leap_second_is_the_second_after_it(tmp_path: Path) -> None:
    seconds = ["2016-12-31T23:59:58Z", "2016-12-31T23:59:59Z", "2016-12-31T23:59:60Z", "2017-01-01T00:00:01Z"]
    summary = read(tmp_path, lines("time,value", lambda i: f"{seconds[i]},{i}", 4))
    assert values(summary) == {"file": [0, 1, 2, 3]}
    with pytest.raises(CsvError, match="line 2: '2016-12-31T23:58:60Z' is not a time"):
        read(tmp_path, "time,value\n2016-12-31T23:58:60Z,1\n2016-12-31T23:59:02Z,2\n")


@pytest.mark.parametrize(("dates", "month"), [("day-first", 2), ("month-first", 1)])
def test_the_dates_flag_decides(tmp_path: Path, dates: str, month: int) -> None:
    days = ["01/02/2026", "02/02/2026", "03/02/2026"]
    summary = read(tmp_path, lines("date,value", lambda i: f"{days[i]},{i}", 3), dates=dates)
    assert summary.series[0].start.month == month


def test_a_small_number_is_seconds_since_1970_and_reported(tmp_path: Path) -> None:
    summary = read(tmp_path, "time,value\n0,1\n60,2\n120,3\n")
    assert summary.problems() == ["the times 0 to 120 were read as seconds since 1970"]
    assert "1970-01-01T00:00:00Z to 1970-01-01T00:02:00Z; step 60 s" in summary.lines()[0]


def test_a_number_that_marks_missing_readings_is_reported(tmp_path: Path) -> None:
    summary = read(tmp_path, lines("time,x", lambda i: f"{HOURS[i]},{-999 if i in (3, 4) else i}"))
    assert summary.series[0].values[3] == -999
    assert "'x': -999 occurs 2 times and was read as a number" in summary.problems()[0]


def test_a_column_that_holds_only_such_a_marker_is_reported(tmp_path: Path) -> None:
    summary = read(tmp_path, lines("time,x,y", lambda i: f"{HOURS[i]},{i},-999"))
    [problem] = summary.problems()
    assert "'y': -999 occurs 10 times and was read as a number" in problem


def test_one_gap_is_not_gaps(tmp_path: Path) -> None:
    text = "".join(f"{HOURS[i]},{i}\n" for i in range(12) if i != 5)
    assert any("1 missing in 1 gap, bridged" in line for line in read(tmp_path, f"time,x\n{text}").lines())


def test_names_are_printed_without_control_characters(tmp_path: Path) -> None:
    name = "\x1b[2Jevil"
    summary = read(tmp_path, lines(f"time,{name},y", lambda i: f"{HOURS[i]},{'' if i == 3 else i},{name}"))
    assert len(summary.lines()) == 3
    assert all(line.isprintable() for line in summary.lines())
    with pytest.raises(CsvError) as caught:
        read(tmp_path, lines(f"{name},y", lambda i: f"{name},{i}"))
    assert str(caught.value).isprintable()


def test_dwd(tmp_path: Path) -> None:
    text = lines("STATIONS_ID;MESS_DATUM;  TT;eor", lambda i: f"       2319;20260101{i:02}; {i}.1;eor")
    summary = read(tmp_path, text)
    assert values(summary) == {"2319": [i + 0.1 for i in range(10)]}
    assert summary.series[0].start == START
    assert summary.skipped == {"column 'eor'": "it holds text, 'eor' only"}


def test_home_assistant(tmp_path: Path) -> None:
    text = lines("entity_id,state,last_changed", lambda i: f"sensor.{'ab'[i % 2]},{i},{HOURS[i // 2]}")
    text += "".join(f"light.x,{'on' if i % 2 else 'off'},{HOURS[i]}\n" for i in range(9))
    text += f"sensor.c,unavailable,{HOURS[0]}\n"
    summary = read(tmp_path, text)
    assert values(summary) == {"sensor.a": [0, 2, 4, 6, 8], "sensor.b": [1, 3, 5, 7, 9]}
    assert summary.skipped == {
        "series 'light.x'": "it holds text such as 'off'",
        "series 'sensor.c'": "it holds no reading",
    }


def test_influxdb(tmp_path: Path) -> None:
    head = (
        "#group,false,false,true,true,false,false,true,true,true\n"
        "#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string,string\n"
        "#default,_result,,,,,,,,\n"
        ",result,table,_start,_stop,_time,_value,_field,_measurement,host\n"
    )
    rows = [
        f",,{i // 5},{HOURS[0]},{HOURS[9]},{HOURS[i % 5]},{i}.5,usage,cpu,{'ab'[i // 5]}\n" for i in range(10)
    ]
    # Each table of a response has its own header.
    summary = read(tmp_path, head + "".join(rows[:5]) + "\n" + head + "".join(rows[5:]))
    assert values(summary) == {"a": [0.5, 1.5, 2.5, 3.5, 4.5], "b": [5.5, 6.5, 7.5, 8.5, 9.5]}


@pytest.mark.parametrize(
    "text",
    [
        lines("sep=;\nZeit;x", lambda i: f"{HOURS[i]};{i},5"),
        lines("# made by a machine\n# with, commas\ntime,x", lambda i: f"{HOURS[i]},{i}.5") + "# the end\n",
        lines("# time,x", lambda i: f"{HOURS[i]},{i}.5"),
        lines("Report of January\n\ntime,x", lambda i: f"{HOURS[i]},{i}.5"),
        lines("Date,Time,Value", lambda i: f"2026-01-01,{i:02}:00,{i}.5"),
        lines("Datum;Uhrzeit;Wert", lambda i: f"01.01.2026;{i:02}:00:00;{i},5"),
        lines("Value,Time,Date", lambda i: f"{i}.5,{i}:00 AM,2026-01-01".replace(",0:00", ",12:00")),
        lines("time|x", lambda i: f"{HOURS[i]}|{i}.5"),
        lines("time\tx", lambda i: f"{HOURS[i]}\t{i}.5"),
        lines('"time", "x"', lambda i: f'"{HOURS[i]}", "{i}.5"'),
        lines("time,x", lambda i: f"{HOURS[i]},{i}.5").replace("\n", "\r\n"),
        lines("time,x", lambda i: f"{HOURS[i]},{i}.5").replace("\n", "\r"),
        lines("time,x", lambda i: f"{HOURS[i]},{i}.5").encode("utf-8-sig"),
        lines("time\tx", lambda i: f"{HOURS[i]}\t{i}.5").encode("utf-16"),
        gzip.compress(lines("time,x", lambda i: f"{HOURS[i]},{i}.5").encode(), mtime=0),
    ],
)
def test_dialects(tmp_path: Path, text: str | bytes) -> None:
    summary = read(tmp_path, text)
    [series] = summary.series
    assert (series.name, series.start, series.step) == ("file", START, Step.seconds(3600))
    assert series.values.tolist() == [i + 0.5 for i in range(10)]


def test_skipped_lines_before_the_table_are_reported(tmp_path: Path) -> None:
    summary = read(tmp_path, lines("Report of January\n# note\ntime,x", lambda i: f"{HOURS[i]},{i}"))
    assert "line 1 before the table was skipped: 'Report of January'" in "\n".join(summary.lines())


def test_windows_1252_is_reported(tmp_path: Path) -> None:
    text = lines("Zeit;Außen", lambda i: f"{HOURS[i]};{i},5").encode("cp1252")
    summary = read(tmp_path, text, value_columns=("Außen",))
    assert any("read as Windows-1252" in line for line in summary.lines())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"time": 1}\n', "holds JSON, not CSV"),
        ('[{"time": 1}]\n', "holds JSON, not CSV"),
        ("<html></html>", "holds HTML or XML"),
        (b"PK\x03\x04rest", "is an Excel or zip file; save the sheet as CSV"),
        (b"PAR1rest", "is a Parquet file"),
        (b"\x1f\x8bno gzip", "is damaged or cut short gzip data"),
        ("time,value\n", "has a header but no readings"),
        ("# only this\n", "holds comments only"),
        (
            'time,value\n2026-01-01,"1\n2026-01-02,2\n2026-01-03,3\n',
            'line 2: a quote (") is opened and not closed',
        ),
        ("time,value\n2026-01-01,1\n2026-01-02,1,5\n", "line 3: has 3 fields, the header 2"),
        ("time,value\n2026-01-01,1,5\n2026-01-02,1,5\n", "or separate the columns by `;`"),
        ("time,a,b\n08:00,1,2\n09:00,1,2\n", "no column holds dates"),
        ("a,b\nx,1\ny,2\n", "no column holds times (the columns are a, b)"),
        (
            "start,end,b\n2026-01-01,2026-01-02,x\n2026-01-02,2026-01-03,y\n",
            "no column is left for the values",
        ),
        (
            "p,q,b\n2026-01-01,2026-01-02,1\n2026-01-02,2026-01-03,2\n",
            "columns 'p', 'q' all hold times; say which",
        ),
    ],
)
def test_an_unreadable_file_is_one_sentence(tmp_path: Path, content: str | bytes, sentence: str) -> None:
    with pytest.raises(CsvError) as caught:
        read(tmp_path, content)
    assert sentence in str(caught.value)


def test_lines_are_counted_across_comments_and_long_cells(tmp_path: Path) -> None:
    text = '# first\ntime,note,value\n2026-01-01,"two\nlines",1\n\n# comment\n2026-01-02,x,2\n2026-01-03,y,warm\n'
    with pytest.raises(CsvError, match="line 8: 'warm' is not a number"):
        read(tmp_path, text + "".join(f"2026-01-0{day},on,{day}\n" for day in range(4, 10)))


BERLIN = find_zone("Europe/Berlin")


def local(folder: Path, times: list[str], **options: object) -> Summary:
    return read(folder, lines("time,value", lambda i: f"{times[i]},{i}", len(times)), **options)


AUTUMN = ["2026-10-25 01:30", "2026-10-25 02:00", "2026-10-25 02:30"]
AUTUMN += ["2026-10-25 02:00", "2026-10-25 02:30", "2026-10-25 03:00", "2026-10-25 03:30"]


@pytest.mark.parametrize("order", ["as it was", "newest first", "sorted"])
def test_the_hour_that_comes_twice(tmp_path: Path, order: str) -> None:
    readings = list(enumerate(AUTUMN))
    expected = list(range(7))
    if order == "newest first":
        readings.reverse()
    if order == "sorted":  # 02:00 02:00 02:30 02:30: repeated times are in the second pass
        readings.sort(key=lambda one: one[1])
    text = "time,value\n" + "".join(f"{time},{at}\n" for at, time in readings)
    summary = read(tmp_path, text, timezone=BERLIN)
    [series] = summary.series
    assert (series.start, series.step) == (datetime(2026, 10, 24, 23, 30, tzinfo=UTC), Step.seconds(1800))
    assert series.values.tolist() == expected
    assert summary.problems() == []


def test_the_hour_that_comes_twice_without_a_zone_suggests_the_flag(tmp_path: Path) -> None:
    summary = local(tmp_path, AUTUMN)
    assert summary.repeated == 2
    assert any("--timezone Europe/Berlin" in line for line in summary.lines())


def test_the_hour_that_is_left_out(tmp_path: Path) -> None:
    times = ["2026-03-29 01:00", "2026-03-29 01:30", "2026-03-29 03:00", "2026-03-29 03:30"]
    summary = local(tmp_path, times, timezone=BERLIN)
    [series] = summary.series
    assert (series.start, series.values.tolist()) == (datetime(2026, 3, 29, tzinfo=UTC), [0, 1, 2, 3])
    with pytest.raises(CsvError, match="line 3: '2026-03-29 02:00' does not exist in Europe/Berlin"):
        local(tmp_path, ["2026-03-29 01:30", "2026-03-29 02:00", "2026-03-29 03:00"], timezone=BERLIN)
    filled = "time,value\n2026-03-29 01:00,0\n2026-03-29 02:00,\n2026-03-29 03:00,1\n2026-03-29 04:00,2\n"
    assert read(tmp_path, filled, timezone=BERLIN).series[0].values.tolist() == [0, 1, 2]


def test_a_year_of_local_hours_is_a_year_of_hours(tmp_path: Path) -> None:
    moments = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in range(24 * 365)]
    times = [moment.astimezone(BERLIN).strftime("%d.%m.%Y %H:%M") for moment in moments]
    summary = local(tmp_path, times, timezone=BERLIN)
    [series] = summary.series
    assert (series.start, len(series), summary.problems()) == (moments[0], len(moments), [])
    assert series.values.tolist() == list(range(len(moments)))


def test_days_and_offsets_are_not_moved_by_the_zone(tmp_path: Path) -> None:
    days = [f"2026-03-{day:02}" for day in range(20, 31)]
    assert local(tmp_path, days, timezone=BERLIN).series[0].start == datetime(2026, 3, 20, tzinfo=UTC)
    assert local(tmp_path, HOURS, timezone=BERLIN).series[0].start == START
    midnights = [f"{day} 00:00" for day in days]
    summary = local(tmp_path, midnights, timezone=BERLIN)
    assert (summary.series[0].start, summary.moved) == (datetime(2026, 3, 20, tzinfo=UTC), 0)


@pytest.mark.parametrize(
    "written",
    [
        lambda time: time.isoformat(),
        lambda time: time.astimezone(UTC).isoformat(),
        lambda time: time.astimezone(timezone(timedelta(hours=1))).isoformat(),  # winter time all year
        lambda time: str(int(time.timestamp())),
    ],
)
def test_days_of_a_time_zone_are_not_moved_when_its_offset_changes(
    tmp_path: Path, written: Callable[[datetime], str]
) -> None:
    midnights = [datetime(2025, 1, 1, tzinfo=BERLIN) + timedelta(days=day) for day in range(400)]
    summary = local(tmp_path, [written(time) for time in midnights], timezone=BERLIN)
    [series] = summary.series
    assert (series.start, len(series), summary.problems()) == (midnights[0], 400, [])
    without = local(tmp_path, [written(time) for time in midnights])
    assert without.moved == 210
    assert any("pass --timezone" in line for line in without.lines()) == (
        written(midnights[0])[-6:] == "+01:00" and written(midnights[180])[-6:] == "+02:00"
    )


@pytest.mark.parametrize(
    ("days", "named"),
    [
        ((1, 15), "day 1 and day 15"),
        ((1, 16), "day 1 and day 16"),
        ((15, 30), "day 15 and day 30"),
        ((15, 31), "day 15 and the last day"),
    ],
)
def test_two_readings_a_month_are_refused(tmp_path: Path, days: tuple[int, int], named: str) -> None:
    dates = [
        f"2025-{month:02}-{min(day, monthrange(2025, month)[1]):02}" for month in range(1, 13) for day in days
    ]
    for chosen in (dates, dates[1:-1]):
        with pytest.raises(
            CsvError, match=f"has two readings in each month, on {named}, which is no regular step"
        ):
            read(tmp_path, "date,x\n" + "".join(f"{date},{at}\n" for at, date in enumerate(chosen)))


@pytest.mark.parametrize("days", [14, 15, 16])
def test_steps_of_two_weeks_are_read(tmp_path: Path, days: int) -> None:
    dates = [(START + timedelta(days=days * at)).date() for at in range(30)]
    summary = read(tmp_path, "date,x\n" + "".join(f"{date},{at}\n" for at, date in enumerate(dates)))
    assert (str(summary.series[0].step), summary.problems()) == (f"P{days}D", [])


@pytest.mark.parametrize("is_local", [True, False])
def test_months_of_a_time_zone_begin_at_its_midnight(tmp_path: Path, is_local: bool) -> None:
    months = [datetime(2025 + month // 12, month % 12 + 1, 1, tzinfo=BERLIN) for month in range(24)]
    hours = [month.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ") for month in months]
    texts = [month.strftime("%Y-%m-%dT%H:%M%z") for month in months] if is_local else hours
    summary = local(tmp_path, texts, timezone=BERLIN)
    [series] = summary.series
    assert series.step == Step.calendar("P1M")
    assert [series.time(month) for month in range(24)] == months


def test_a_header_of_a_million_names_is_refused(tmp_path: Path) -> None:
    names = ",".join(f"c{i}" for i in range(200_000))
    with pytest.raises(CsvError, match="line 1: is longer than 1048576 bytes; write a line a reading"):
        read(tmp_path, f"time,{names}\n2026-01-01,1\n")


def test_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = lines("time,x", lambda i: f"{HOURS[i]},{i}")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    summary = read_csv_file("-")
    assert (summary.name, summary.series[0].name) == ("standard input", "stdin")


def test_the_summary_is_bounded(tmp_path: Path) -> None:
    names = ",".join(f"s{at}" for at in range(200))
    cells = ",".join("x" for _ in range(150)) + "," + ",".join("" if at % 2 else "1" for at in range(50))
    text = lines(f"time,{names}", lambda i: f"{HOURS[i]},{cells}")
    printed = read(tmp_path, text).lines()
    assert len(printed) == 20
    assert printed[-1].endswith("more lines like these")


def test_many_readings_need_little_memory(tmp_path: Path) -> None:
    """The texts of a column are freed after it is read."""
    import pyarrow as pa

    before = pa.total_allocated_bytes()
    summary = read(tmp_path, lines("time,x", lambda i: f"{1_700_000_000 + i},{i}.5", 200_000))
    assert len(summary.series[0]) == 200_000
    assert pa.total_allocated_bytes() - before < 1_000_000
