"""The data of a window event: what is read of it, and each reason for which it is rejected."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fncast.series.window_data import InvalidData, WindowData, _following, read_json, read_readings

DATA: dict[str, Any] = {"start": "2024-01-01T00:00:00Z", "step_s": 300, "values": [1, 2, None]}


def test_a_bare_array_has_no_start_and_step() -> None:
    assert read_readings([1, 2]).values == [1, 2]
    assert read_readings([1, 2]).grid_json == b""


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"values": None}, "values are missing"),
        ({"values": "12"}, "not an array"),
        ({"start": None}, "start is missing"),
        ({"start": 5}, "start: a time must be a string"),
        ({"start": []}, "start: a time must be a string"),
        ({"start": "yesterday"}, "start: 'yesterday' is not an RFC 3339 time"),
        ({"start": "9999-12-31T23:59:00Z"}, "outside the years"),
        ({"step_s": None}, "step_s (seconds) or step"),
        ({"step_s": True}, "step_s must be a number"),
        ({"step_s": {}}, "step_s must be a number"),
        ({"step_s": -1}, "positive"),
        ({"step_s": 2.0**64}, "more than all the years"),
        ({"step": "P1M"}, "both"),
        (
            {"step_s": None, "step": "P1M", "step_day": 2},
            "start: 2024-01-01T00:00:00+00:00 is not on step_day 2",
        ),
        ({"step_s": None, "step": "P1M", "step_day": []}, "step_day must be a day of the month"),
        ({"step_s": None, "step": "P0M"}, "positive"),
        ({"unit": 1}, "unit is not a string"),
        ({"min": "0"}, "min must be a number"),
        ({"max": True}, "max must be a number"),
        ({"max": float("nan")}, "max must be a number"),
        ({"min": 10**400}, "min must be a number"),
        ({"min": 2, "max": 1}, "min is above max"),
        ({"labels": [1]}, "labels is not an object of strings"),
        ({"labels": {"a": None}}, "labels is not an object of strings"),
        ({"labels": {"a": "\ud800"}}, "labels are not valid Unicode"),
        ({"unit": "\ud800"}, "unit is not valid Unicode"),
    ],
)
def test_invalid_data_is_rejected(change: dict[str, Any], error: str) -> None:
    read_readings({**DATA, "step_s": 1})  # a cached 1 must not accept True
    with pytest.raises(InvalidData) as caught:
        read_readings({**DATA, **change})
    assert error in str(caught.value)


@given(
    st.lists(st.none() | st.floats(-1e6, 1e6), max_size=4),
    st.sampled_from([{"step_s": 60}, {"step": "PT5M"}, {"step": "P1M"}]),
    st.fixed_dictionaries(
        {},
        optional={
            "unit": st.sampled_from(["%", "°C"]),
            "min": st.floats(-5, 0),
            "max": st.integers(0, 5),
            "labels": st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=2),
        },
    ),
)
def test_parsed_in_one_pass_or_as_any_json_it_is_the_same(
    values: list[float | None], step: dict[str, Any], members: dict[str, Any]
) -> None:
    content = orjson.dumps({"start": DATA["start"], "values": values, **step, **members})
    assert read_readings(msgspec.json.decode(content, type=WindowData)) == read_readings(read_json(content))


@pytest.mark.parametrize("data", [dict, lambda **members: WindowData(**members)], ids=["object", "struct"])
def test_long_starts_are_not_kept(data: Any) -> None:
    before = _following.cache_info().currsize
    for number in range(10):
        start = f"2026-01-01T00:00:00.{number}{'0' * 10_000}Z"
        read = read_readings(data(values=[1.0], start=start, step_s=60))
        assert read.grid_json.startswith(b'"start":"2026-01-01T00:01:00')
    assert _following.cache_info().currsize == before
