"""Columns that name the series."""

from __future__ import annotations

from pathlib import Path

import pytest

from fncast.series.csv.file import CsvError
from fncast.series.step import Step
from tests.fncast.series.csv.texts import HOURS, lines, read, values


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


def test_times_of_day_name_no_series(tmp_path: Path) -> None:
    text = lines(
        "Datum;Anfang;Ende;Last",
        lambda i: f"{1 + i // 24:02}.01.2026;{i % 24:02}:00;{(i + 1) % 24:02}:00;{i}",
        72,
    )
    summary = read(tmp_path, text)
    assert values(summary) == {"Last": list(range(72))}
    assert summary.skipped == {"column 'Ende'": "it holds times of day"}


def test_influxdb_is_read_without_its_annotations(tmp_path: Path) -> None:
    text = lines(
        "result,table,_start,_stop,_time,_value,_field,_measurement",
        lambda i: f",{i % 2},{HOURS[0]},{HOURS[9]},{HOURS[i // 2]},{i},{'ab'[i % 2]},cpu",
    )
    assert values(read(tmp_path, text)) == {"a": [0, 2, 4, 6, 8], "b": [1, 3, 5, 7, 9]}


def test_times_of_day_may_have_points(tmp_path: Path) -> None:
    text = lines("Date;Time;CO", lambda i: f"{10 + i // 24}/03/2026;{i % 24:02}.00.00;{i},5", 96)
    [series] = read(tmp_path, text, dates="day-first").series
    assert (series.step, series.values.tolist()) == (Step.seconds(3600), [i + 0.5 for i in range(96)])
