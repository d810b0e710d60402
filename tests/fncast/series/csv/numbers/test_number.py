"""Cells are read as the numbers that people and programs mean."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fncast.series.csv.file import CsvError
from fncast.series.csv.numbers.number import parse_number
from tests.fncast.series.csv.texts import HOURS, lines, read, values


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
def test_the_usual_markers_are_missing_readings(tmp_path: Path, marker: str) -> None:
    summary = read(tmp_path, lines("time,a,b", lambda i: f"{HOURS[i]},{marker if i == 4 else i},{i}"))
    expected = [float(i) if i != 4 else np.nan for i in range(10)]
    np.testing.assert_array_equal(values(summary)["a"], expected)
    assert summary.missing == 1
    assert any(f"read as missing: {marker!r} once" in line for line in summary.lines())
    assert summary.problems() == ["1 reading missing"]


def test_a_cell_of_many_blanks_is_parsed_in_linear_time() -> None:
    began_s = time.process_time()
    assert parse_number("€" + " " * 5_000 + "x") is None
    assert time.process_time() - began_s < 1.0
