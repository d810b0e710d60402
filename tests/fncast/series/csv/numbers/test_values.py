"""A column of a CSV file as numbers."""

from __future__ import annotations

import numpy as np
import pytest

from fncast.series.csv.error import CsvError
from fncast.series.csv.numbers.forms import find_forms
from fncast.series.csv.numbers.values import read_values, text_error
from tests.fncast.series.csv.tables import table


def values(*cells: str, decimal: str = "point") -> tuple[list[float], list[bool]]:
    read = table("row;x\n" + "".join(f"{row};{cell}\n" for row, cell in enumerate(cells)))
    found, texts = read_values(read, 1, find_forms(read.columns[1]), decimal)
    return found.tolist(), texts.tolist()


@pytest.mark.parametrize(
    ("decimal", "expected"), [("point", [1.5, 1.299, -2000.0]), ("comma", [15.0, 1299.0, -2000.0])]
)
def test_numbers_are_read_with_the_decimal_sign_of_their_column(decimal: str, expected: list[float]) -> None:
    first = "1.5" if decimal == "point" else "15"
    assert values(first, "1.299", "-2e3", decimal=decimal) == (expected, [False] * 3)


def test_missing_cells_are_nan_and_texts_are_marked() -> None:
    found, texts = values("1", "", "n/a", "warm", " 2 ")
    np.testing.assert_array_equal(found, [1, np.nan, np.nan, np.nan, 2])
    assert texts == [False, False, False, True, False]


def test_a_number_with_the_other_decimal_sign_is_an_error() -> None:
    with pytest.raises(CsvError, match=r"line 3: '2,55' \(column 'x'\) is not a number with a decimal point"):
        values("1.5", "2,55")


def test_infinity_is_an_error() -> None:
    with pytest.raises(CsvError, match=r"line 3: '-inf' \(column 'x'\) is not a finite number"):
        values("1.5", "-inf")


def test_two_units_in_a_column_are_an_error_that_names_both() -> None:
    with pytest.raises(CsvError, match=r"line 3: '2 MB' .* has the unit 'MB', but line 2 has the unit 'kB'"):
        values("1 kB", "2 MB")
    with pytest.raises(CsvError, match=r"line 3: '2' .* has no unit, but line 2 has the unit 'kB'"):
        values("1 kB", "2")


def test_the_error_of_a_text_names_line_and_column() -> None:
    read = table("row;x\n0;1\n1; warm \n")
    assert "line 3: 'warm' is not a number (column 'x')" in str(text_error(read, 1, 1))
