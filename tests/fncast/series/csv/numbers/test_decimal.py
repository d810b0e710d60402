"""The decimal sign of each column."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fncast.series.csv.error import CsvError
from tests.fncast.series.csv.texts import HOURS, lines, read, values


@pytest.mark.parametrize(("decimal", "value"), [("point", 1.299), ("comma", 1299.0)])
def test_the_decimal_flag_decides(tmp_path: Path, decimal: str, value: float) -> None:
    summary = read(tmp_path, lines("Zeit;x", lambda i: f"{HOURS[i]};1.299"), decimal=decimal)
    assert summary.series[0].values.tolist() == [value] * 10


def test_a_padded_cell_with_a_comma_is_not_guessed_to_be_one_number(tmp_path: Path) -> None:
    """NOAA writes a temperature in tenths and its quality into one cell."""
    text = lines("DATE,TMP", lambda i: f'{HOURS[i]},"+{i:04},1"')
    with pytest.raises(
        CsvError, match=re.escape("'+0000,1' (column 'TMP') may be one number with a decimal")
    ):
        read(tmp_path, text)
    assert read(tmp_path, text, decimal="comma").series[0].values.tolist() == [i + 0.1 for i in range(10)]
    padded = lines("Zeit;x", lambda i: f"{HOURS[i]};{i:03},5")
    assert read(tmp_path, padded).series[0].values.tolist() == [i + 0.5 for i in range(10)]


def test_a_factor_of_1000_that_another_column_shows_is_reported(tmp_path: Path) -> None:
    summary = read(tmp_path, lines("Zeit;x;y", lambda i: f"{HOURS[i]};1.{299 + i};{i},5"))
    assert values(summary)["x"] == [1299.0 + i for i in range(10)]
    assert any(
        "'1.299' was read as 1299, since column 'y' has a decimal comma" in line for line in summary.lines()
    )
