"""Delimiters, headers, and lines that are not part of the table."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from fncast.series.step import Step
from tests.fncast.series.csv.texts import HOURS, START, lines, read, values


def test_a_delimiter_in_a_quoted_name_does_not_separate_columns(tmp_path: Path) -> None:
    header = 'Zeit;"Leistung, gesamt, kW";"Temperatur, außen, °C"'
    summary = read(tmp_path, lines(header, lambda i: f"{HOURS[i]};{i},5;{20 + i},1"))
    assert values(summary)["Leistung, gesamt, kW"][:2] == [0.5, 1.5]
    assert values(summary)["Temperatur, außen, °C"][:2] == [20.1, 21.1]


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
def test_the_usual_dialects_of_csv_are_read_alike(tmp_path: Path, text: str | bytes) -> None:
    summary = read(tmp_path, text)
    [series] = summary.series
    assert (series.name, series.start, series.step) == ("file", START, Step.seconds(3600))
    assert series.values.tolist() == [i + 0.5 for i in range(10)]


def test_skipped_lines_before_the_table_are_reported(tmp_path: Path) -> None:
    summary = read(tmp_path, lines("Report of January\n# note\ntime,x", lambda i: f"{HOURS[i]},{i}"))
    assert "line 1 before the table was skipped: 'Report of January'" in "\n".join(summary.lines())
