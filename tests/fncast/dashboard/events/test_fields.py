"""Values in the data of foreign events."""

from __future__ import annotations

from typing import Any

import pytest

from fncast.dashboard.events.fields import finite_number, seconds_of


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
