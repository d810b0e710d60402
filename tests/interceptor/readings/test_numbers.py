"""Values of readings as producers write them."""

from __future__ import annotations

import math

import pytest

from interceptor.readings.contract import Skip
from interceptor.readings.numbers import number, number_in_text


@pytest.mark.parametrize(
    ("raw", "expected"),
    [(1.5, 1.5), (3, 3.0), (True, 1.0), (False, 0.0), (-(2**63), -float(2**63))],
)
def test_a_number_is_a_float(raw: object, expected: float) -> None:
    found = number(raw)
    assert type(found) is float
    assert found == expected == number_in_text(raw)


@pytest.mark.parametrize("raw", [math.nan, math.inf, -math.inf, 10**400, None, [], {}])
def test_a_value_that_is_not_finite_or_of_another_type_is_not_a_number(raw: object) -> None:
    assert number(raw) is number_in_text(raw) is Skip.NOT_A_NUMBER


def test_a_text_is_a_number_only_where_the_format_writes_numbers_as_texts() -> None:
    assert number("1.5") is Skip.TEXT
    assert number_in_text("1.5") == 1.5
    assert number_in_text("-9007199254740993") == -9007199254740992.0


@pytest.mark.parametrize("raw", ["NaN", "+Inf", "-Infinity", "1e999"])
def test_a_text_that_is_not_finite_is_not_a_number(raw: str) -> None:
    assert number_in_text(raw) is Skip.NOT_A_NUMBER


@pytest.mark.parametrize("raw", ["", "on", "1_000", "0x10", "1,5", "1" * 65])
def test_a_string_that_is_not_a_number_is_text(raw: str) -> None:
    assert number_in_text(raw) is Skip.TEXT
