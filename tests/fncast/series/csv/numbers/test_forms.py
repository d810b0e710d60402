"""The forms of numbers that are counted in a column."""

from __future__ import annotations

from fncast.series.csv.numbers.forms import Forms, find_forms, unit_of
from tests.fncast.series.csv.tables import table


def forms(*cells: str) -> Forms:
    return find_forms(
        table("row;x\n" + "".join(f"{row};{cell}\n" for row, cell in enumerate(cells))).columns[1]
    )


def test_the_first_row_that_shows_a_decimal_sign_is_known() -> None:
    found = forms("7", "1.5", "2,5", "3.25")
    assert found.decimal_signs == {"point": 1, "comma": 2}
    assert (found.whole, found.numbers) == (0, 4)


def test_a_number_that_may_have_thousands_shows_no_decimal_sign() -> None:
    found = forms("7", "1.299", "8")
    assert (found.decimal_signs, found.ambiguous) == ({}, 1)
    assert forms("7", "8").ambiguous is None


def test_units_and_their_absence_have_their_first_row() -> None:
    found = forms("1 kWh", "2 kWh", "3")
    assert found.units == {"kWh": 0, "": 2}
    assert unit_of(found) == "kWh"
    assert unit_of(forms("1", "2")) is None


def test_missing_readings_are_counted_by_their_marker() -> None:
    found = forms("1", "", "n/a", "unknown", "n/a")
    assert (found.empty, dict(found.missing), found.numbers) == (1, {"n/a": 2, "unknown": 1}, 1)


def test_texts_are_counted_and_the_first_is_known() -> None:
    found = forms("1", "warm", "2", "cold")
    assert (found.texts, found.text, found.numbers) == (2, 1, 2)
    assert forms("1", "2").text is None
