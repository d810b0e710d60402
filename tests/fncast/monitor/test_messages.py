"""What the monitor reads from events, and what it rejects."""

from __future__ import annotations

import json
import math
from array import array
from datetime import UTC, datetime
from typing import Any

import pytest

from fncast.monitor.messages import (
    FORECAST,
    MAX_HORIZON,
    WINDOW,
    UnusableEvent,
    read_forecast,
    read_window,
)
from fncast.series.step import Step
from interceptor.assembly.window import Window, window_event
from interceptor.cloudevents.event import Event
from interceptor.cloudevents.reader import read_event

START = "2026-01-31T00:00:00Z"
FORECAST_DATA = {"start": START, "step_s": 60, "quantiles": {"0.9": [3, 4], "0.1": [1, 2], "0.5": [2, 3]}}


def event(type_: str, data: Any, **attributes: str) -> Event:
    named = {"specversion": "1.0", "id": "1", "source": "/s", "type": type_, "subject": "cpu", **attributes}
    headers = [(f"ce_{name}", value.encode()) for name, value in named.items() if value]
    content_type = b"text/plain" if isinstance(data, bytes) else b"application/json"
    value = data if isinstance(data, bytes) else json.dumps(data).encode()
    return read_event([*headers, ("content-type", content_type)], value)


def test_the_last_value_of_a_window_is_its_reading() -> None:
    found = read_window(event(WINDOW, {"start": START, "step_s": 60, "values": [1, None, 3.5]}))
    assert (found.series, found.value, found.step) == ("cpu", 3.5, Step.seconds(60))
    assert found.time == datetime(2026, 1, 31, 0, 2, tzinfo=UTC)


def test_a_missing_last_value_is_nan() -> None:
    found = read_window(event(WINDOW, {"start": START, "step_s": 60, "values": [1, None]}))
    assert math.isnan(found.value)


def test_months_keep_the_day_of_the_start() -> None:
    found = read_window(event(WINDOW, {"start": START, "step": "P1M", "values": [1, 2]}))
    assert found.time == datetime(2026, 2, 28, tzinfo=UTC)


def test_a_window_that_was_assembled_here_is_read_without_its_json() -> None:
    start_ns = int(datetime(2026, 1, 31, tzinfo=UTC).timestamp()) * 10**9
    window = Window("cpu", start_ns, start_ns, Step.seconds(60), array("d", [1.0, 2.0]))
    found = read_window(window_event(window, "forecast"))
    assert (found.series, found.value, found.time.minute) == ("cpu", 2.0, 1)


def test_a_forecast_has_its_quantiles_in_order() -> None:
    found = read_forecast(event(FORECAST, FORECAST_DATA, modelname="base", modelversion="3"))
    assert (found.series, found.model, found.levels) == ("cpu", "base/3", (0.1, 0.5, 0.9))
    assert found.rows == [(1, 2, 3), (2, 3, 4)]


def test_the_band_is_that_of_the_nearest_levels() -> None:
    quantiles = {str(level): [level] for level in (0.01, 0.15, 0.45, 0.8, 0.99)}
    found = read_forecast(event(FORECAST, FORECAST_DATA | {"quantiles": quantiles}))
    assert found.band == [[0.15], [0.45], [0.99]]


def test_a_forecast_that_is_too_long_is_cut() -> None:
    found = read_forecast(event(FORECAST, FORECAST_DATA | {"quantiles": {"0.5": [0.0] * 1000}}))
    assert [len(column) for column in found.columns] == [MAX_HORIZON]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"start": START, "step_s": 60, "values": []}, "the window has no values"),
        ({"start": START, "step_s": 60, "values": ["warm"]}, "values are not a list of numbers"),
        ({"start": "yesterday", "step_s": 60, "values": [1]}, "'yesterday' is not an RFC 3339 time"),
        ({"start": START, "values": [1]}, "missing"),
        ({"start": [START], "step_s": 60, "values": [1]}, "start or step is not a string or number"),
        ({"start": START, "step": "P9000Y", "values": [1, 2]}, "9999"),
    ],
)
def test_an_unusable_window_has_a_reason(data: Any, reason: str) -> None:
    with pytest.raises(UnusableEvent, match=reason):
        read_window(event(WINDOW, data))


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:58:00-01:00"])
def test_times_outside_the_calendar_in_utc_are_unusable(start: str) -> None:
    data = {"start": start, "step_s": 60, "values": [1]}
    with pytest.raises(UnusableEvent, match="outside the years 1 to 9999 in UTC"):
        read_window(event(WINDOW, data))


def test_a_text_is_not_a_forecast() -> None:
    with pytest.raises(UnusableEvent, match="the data is not JSON"):
        read_forecast(event(FORECAST, b"{"))


@pytest.mark.parametrize(
    ("quantiles", "reason"),
    [
        ({}, "has no quantiles"),
        ({"0.5": "high"}, "quantiles are not lists of numbers"),
        ({"median": [1]}, "not named by numbers"),
        ({"1.5": [1]}, "not between 0 and 1"),
        ({"0.1": [1], "0.9": [1, 2]}, "not of the same length"),
        ({"0.5": []}, "are empty"),
    ],
)
def test_an_unusable_forecast_has_a_reason(quantiles: Any, reason: str) -> None:
    with pytest.raises(UnusableEvent, match=reason):
        read_forecast(event(FORECAST, FORECAST_DATA | {"quantiles": quantiles}))


def test_an_event_without_a_subject_names_no_series() -> None:
    with pytest.raises(UnusableEvent, match="no subject"):
        read_forecast(event(FORECAST, FORECAST_DATA, subject=""))
