"""Values in the data of foreign events."""

from __future__ import annotations

from typing import Any

import pytest

from fncast.dashboard.events.fields import UnreadableData, finite_number, parse_numbers, seconds_of


@pytest.mark.parametrize(("value", "number"), [(1, 1.0), (-2.5, -2.5), (0, 0.0)])
def test_a_number_is_read(value: Any, number: float) -> None:
    assert finite_number(value) == number


@pytest.mark.parametrize("value", [True, "1", None, [1], {}, float("nan"), float("inf")])
def test_anything_but_a_finite_number_is_left_out(value: Any) -> None:
    assert finite_number(value) is None


def test_a_time_is_read_in_seconds() -> None:
    assert seconds_of("1970-01-01T01:00:01.5+01:00") == 1.5


@pytest.mark.parametrize(
    "value", ["yesterday", "", None, 5, ["1970-01-01T00:00:00Z"], "0000-01-01T00:00:00Z"]
)
def test_anything_but_a_time_is_left_out(value: Any) -> None:
    assert seconds_of(value) is None


@pytest.mark.parametrize("values", [None, "1", [True], ["1"], [1e308], [float("inf")], [{}]])
def test_values_that_are_not_numbers_raise(values: object) -> None:
    with pytest.raises(UnreadableData):
        parse_numbers(values, 10)


def test_the_last_numbers_of_a_list_are_read() -> None:
    assert parse_numbers([1, None, 2.5], 2) == [None, 2.5]
