"""Forecasts as the page and `fncast watch` show them."""

from __future__ import annotations

from typing import Any

import pytest

from fncast.dashboard.events.event import ReceivedEvent, parse
from fncast.dashboard.events.fields import UnreadableData
from fncast.dashboard.events.forecast import MAX_HORIZON, model_name, parse_forecast


def event(make: Any, data: Any, **attributes: str) -> ReceivedEvent:
    named = make.attributes("io.fncast.forecast.v1", "f", "cpu") | attributes
    return parse(make.record("forecasts", named, data))


def test_a_forecast_has_its_medians_and_the_outer_quantiles(make: Any) -> None:
    quantiles = {"0.5": [2, 3], "0.9": [4, 6], "0.1": [1, 1], "0.75": [3, 4]}
    found = parse_forecast(event(make, {"values": [2, 3], "quantiles": quantiles}), 7)
    assert (found.start, found.values) == (7, [2, 3])
    assert (found.low, found.high, found.band) == ([1, 1], [4, 6], (0.1, 0.9))


def test_the_medians_may_be_only_in_the_quantiles(make: Any) -> None:
    found = parse_forecast(event(make, {"quantiles": {"0.5": [2, 3]}}), 0)
    assert (found.values, found.band) == ([2, 3], None)


@pytest.mark.parametrize("quantiles", [None, {"0.1": [1], "0.9": [4, 6]}, {"0.1": "1"}, {"0.5": [2, 3]}])
def test_without_two_quantiles_of_the_same_length_there_is_no_band(make: Any, quantiles: Any) -> None:
    found = parse_forecast(event(make, {"values": [2, 3], "quantiles": quantiles}), 0)
    assert (found.values, found.low, found.high, found.band) == ([2, 3], [], [], None)


def test_a_forecast_that_is_too_long_is_cut(make: Any) -> None:
    values = [1.0] * (MAX_HORIZON + 5)
    found = parse_forecast(event(make, {"values": values, "quantiles": {"0.1": values, "0.9": values}}), 0)
    assert [len(each) for each in (found.values, found.low, found.high)] == [MAX_HORIZON] * 3


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, "the event has no data"),
        ([1, 2], "must be a JSON object"),
        ({"values": []}, "has no values"),
        ({"quantiles": {"0.9": [1]}}, "has no values"),
        ({"values": [1], "quantiles": {"low": [1]}}, "names of quantiles must be numbers"),
    ],
)
def test_data_without_a_forecast_are_unreadable(make: Any, data: Any, reason: str) -> None:
    with pytest.raises(UnreadableData, match=reason):
        parse_forecast(event(make, data), 0)


def test_the_model_has_name_and_version_without_control_characters(make: Any) -> None:
    assert model_name(event(make, {}, modelname="base", modelversion="3")) == "base v3"
    assert model_name(event(make, {}, modelname="base")) == "base"
    assert model_name(event(make, {}, modelversion="3")) == "v3"
    assert model_name(event(make, {})) == ""
    assert model_name(event(make, {}, modelname="\x1b[2Jevil")).isprintable()
