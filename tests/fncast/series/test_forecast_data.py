"""The data of forecast events, as JSON and as attributes."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest

from fncast.series.forecast_data import (
    forecast_attributes,
    forecast_data,
    history_of,
    nearest_to_median,
    quantiles_text,
)
from fncast.series.window_data import EventReadings, read_readings

LEVELS = (0.1, 0.5, 0.9)
START = "2026-01-31T00:00:00Z"


def readings(values: list[float | None], **members: Any) -> EventReadings:
    return read_readings({"start": START, "step_s": 60, "values": values, **members})


def test_the_data_of_each_event_have_its_numbers_and_the_median_as_values() -> None:
    values = np.array([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]], [[7.0, 8.0], [9.0, 10.0], [11.0, 12.0]]])
    first, second = map(
        orjson.loads, forecast_data(values, LEVELS, [readings([1, 2]), readings([3])], [0, 2])
    )
    assert first["quantiles"] == {"0.1": [1, 2], "0.5": [3, 4], "0.9": [5, 6.5]}
    assert (first["values"], first["filled"], first["history"]) == ([3, 4], 0, 2)
    assert (second["values"], second["filled"], second["history"]) == ([9, 10], 2, 1)


def test_the_forecast_starts_after_the_readings_and_keeps_unit_and_labels() -> None:
    read = readings([1, 2, 3], unit="°C", labels={"room": "a"})
    [data] = map(orjson.loads, forecast_data(np.zeros((1, 1, 2)), [0.5], [read], [0]))
    assert (data["start"], data["step_s"]) == ("2026-01-31T00:03:00Z", 60)
    assert (data["unit"], data["labels"]) == ("°C", {"room": "a"})


def test_without_events_there_are_no_data() -> None:
    assert forecast_data(np.zeros((0, 3, 2)), LEVELS, [], []) == []


def test_missing_readings_are_not_history() -> None:
    for values in ([1.0, None, 3.0], np.array([1.0, np.nan, 3.0])):
        assert history_of(EventReadings(values)) == 2


def test_the_attributes_of_a_tensor_say_what_the_json_says() -> None:
    read = read_readings({"start": START, "step": "P1M", "values": [1, None], "unit": "kWh"})
    found = forecast_attributes(LEVELS, read, 1)
    assert found == {
        "quantiles": "0.1,0.5,0.9",
        "filled": "1",
        "history": "1",
        "unit": "kWh",
        "start": "2026-03-31T00:00:00Z",
        "step": "P1M",
    }


@pytest.mark.parametrize(("levels", "position"), [((0.1, 0.5, 0.9), 1), ((0.2, 0.6), 1), ((0.45, 0.9), 0)])
def test_the_level_nearest_to_the_median_is_found(levels: tuple[float, ...], position: int) -> None:
    assert nearest_to_median(levels) == position


def test_levels_are_short_texts() -> None:
    assert quantiles_text((0.025, 0.5)) == "0.025,0.5"
