"""A completed window and the event that carries it."""

from __future__ import annotations

import json
from array import array

import pytest

from fncast.series.step import Step
from interceptor.assembly.window import Window, time_text, window_event

NS = 10**9
START_NS = 1_767_225_600 * NS  # 2026-01-01T00:00:00Z
STEP = Step.seconds(60)


def window(*values: float) -> Window:
    return Window("cpu", START_NS, START_NS + len(values) * 60 * NS, STEP, array("d", values))


def test_a_missing_reading_is_null_and_absent_members_are_left_out() -> None:
    assert json.loads(window(1.0, float("nan"), 2.5).to_json()) == {
        "start": "2026-01-01T00:00:00Z",
        "step_s": 60,
        "values": [1.0, None, 2.5],
    }


def test_unit_limits_and_labels_are_members_of_the_data() -> None:
    described = window(1.0)
    described.unit, described.low, described.high = "%", 0.0, 100.0
    described.labels_json = b'{"host":"a"}'
    data = json.loads(described.to_json())
    assert (data["unit"], data["min"], data["max"], data["labels"]) == ("%", 0.0, 100.0, {"host": "a"})
    assert described.labels == {"host": "a"}


def test_the_day_of_the_month_is_a_member_where_the_start_does_not_show_it() -> None:
    first, last = window(1.0), window(1.0)
    first.start_ns = last.start_ns = START_NS + 58 * 86_400 * NS  # 28 February, the last day of the month
    first.step, last.step = Step.of_months(1, 30), Step.of_months(1, 31)
    assert json.loads(first.to_json())["step_day"] == 30
    assert b"step_day" not in last.to_json()


def test_the_id_of_an_event_has_the_end_of_the_window_so_that_a_replay_repeats_it() -> None:
    event = window_event(window(1.0, 2.0), "kafka:metrics")
    assert event.attributes == {
        "specversion": "1.0",
        "id": "cpu@2026-01-01T00:02:00Z",
        "source": "kafka:metrics",
        "type": "io.fncast.window.v1",
        "subject": "cpu",
        "datacontenttype": "application/json",
    }
    assert window_event(window(1.0, 2.0), "kafka:metrics").to_json() == event.to_json()


def test_the_destination_is_an_attribute_only_where_it_is_set() -> None:
    assert window_event(window(1.0), "s", "forecast").attributes["destination"] == "forecast"
    assert "destination" not in window_event(window(1.0), "s", "").attributes


def test_the_event_in_json_holds_the_windows_data() -> None:
    event = window_event(window(1.0, 2.0), "s")
    document = json.loads(event.to_json())
    assert document.pop("data") == json.loads(event.window.to_json())
    assert document == event.attributes


def test_the_size_of_an_event_is_estimated_above_its_json() -> None:
    event = window_event(window(*[1234.5678] * 48), "kafka:metrics")
    assert len(event.to_json()) < event.size < 3 * len(event.to_json())


def test_a_time_that_rfc_3339_cannot_name_is_an_error() -> None:
    assert time_text(START_NS + 500_000_000) == "2026-01-01T00:00:00.500000Z"
    with pytest.raises(OverflowError):
        time_text(10**12 * NS)
