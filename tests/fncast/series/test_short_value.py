"""Wrong values in messages: short, and true and false as in JSON."""

from __future__ import annotations

import pytest

from fncast.series.short_value import MAX_SHOWN, short_value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (None, "None"),
        ("warm", "'warm'"),
        ("x" * 1000, f"'{'x' * (MAX_SHOWN - 4)}..."),
        pytest.param(10**5000, "an integer of thousands of digits", id="large"),
    ],
)
def test_a_value_is_short(value: object, text: str) -> None:
    assert short_value(value) == text
