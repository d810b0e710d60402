"""The page's figures, computed from records without a broker."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.series.silence import MIN_SILENT_S
from fncast.dashboard.state import PageState


def test_counts_events_forecasts_and_their_delay(page_state: PageState, make: Any) -> None:
    page_state.add(make.window([1, 2, 3], event_id="a", timestamp_s=10.0), 1.0)
    page_state.add(make.forecast([4], 3, cause="a", timestamp_s=10.02), 1.0)
    totals = page_state.snapshot(2.0)["totals"]
    assert (totals["events"], totals["forecasts"], totals["unreadable"]) == (1, 1, 0)
    assert totals["delay"]["p50_s"] == pytest.approx(0.02)
    assert (totals["destinations"], totals["models"]) == (["forecast"], ["forecast v1"])


def test_structured_events_are_read(page_state: PageState, make: Any) -> None:
    attributes = make.attributes("io.fncast.window.v1", "a", "cpu")
    value = json.dumps(attributes | {"data": make.data([1, 2], 0)}).encode()
    headers: list[tuple[str, bytes | None]] = [
        ("Content-Type", b"application/cloudevents+json; charset=utf-8")
    ]
    page_state.add(ReceivedRecord("metrics", 0, 0, 0.0, value, headers), 0.0)
    assert page_state.snapshot(0.0)["series"][0]["actual"] == [1, 2]


@pytest.mark.parametrize(
    "value", [b"", b"{", b"[1,2", b'{"values":[1e308],"start":"x","step_s":1}', None, b"\xff"]
)
@pytest.mark.parametrize("topic", ["metrics", "forecasts", "training", "outages"])
def test_records_that_cannot_be_shown_are_counted(
    page_state: PageState, make: Any, topic: str, value: bytes | None
) -> None:
    kind = {"forecasts": "io.fncast.forecast.v1", "training": "io.fncast.training.v1"}.get(topic, "t")
    page_state.add(make.record(topic, make.attributes(kind, "x", "cpu"), value), 0.0)
    page_state.add(ReceivedRecord(topic, 0, 0, None, value), 0.0)
    assert page_state.snapshot(0.0)["series"] == []
    assert page_state.snapshot(0.0)["totals"]["unreadable"] >= 1
    orjson.dumps(page_state.snapshot(0.0))


def test_a_forecast_without_start_follows_its_input(page_state: PageState, make: Any) -> None:
    for number, values in enumerate(([1, 2, 3], [2, 3, 4], [3, 4, 5])):
        attributes = make.attributes("io.fncast.window.v1", f"b{number}", "bare")
        page_state.add(make.record("metrics", attributes, values), 0.0)
    attributes = make.attributes("io.fncast.forecast.v1", "f", "bare")
    cause = {"causationid": "b1", "causationsource": "/test"}
    page_state.add(make.record("forecasts", attributes | cause, {"values": [4.5, 5.5]}), 0.0)
    shown = page_state.snapshot(0.0)["series"][0]
    assert shown["forecast"]["start"] == 4  # after the reading 4, the last of b1
    assert shown["score"]["mae"] == 0.5


def test_a_file_published_twice_shows_its_forecasts_again(page_state: PageState, make: Any) -> None:
    for turn in (0.0, 50.0):
        for n in range(10):
            at_s = turn + n
            page_state.add(make.window([n, n + 1], n, event_id=f"w{n}", timestamp_s=at_s), at_s)
            page_state.add(
                make.forecast([n + 2], n + 2, event_id=f"f{n}", cause=f"w{n}", timestamp_s=at_s), at_s
            )
    [series] = page_state.snapshot(60.0)["series"]
    assert series["forecast"]["start"] - series["first"] - len(series["actual"]) == 0
    assert series["score"]["mae"] == 0.0


def test_the_time_of_the_last_event_of_each_series_is_shown(page_state: PageState, make: Any) -> None:
    page_state.add(make.window([1, 2], step_s=10, timestamp_s=100.0), 5000.0)
    [series] = page_state.snapshot(5000.0)["series"]
    assert (series["heard_s"], series["silent_after_s"]) == (100.0, MIN_SILENT_S)


def test_a_timestamp_in_the_future_counts_as_now(page_state: PageState, make: Any) -> None:
    page_state.add(make.window([1, 2], timestamp_s=9e9), 100.0)
    assert page_state.snapshot(100.0)["series"][0]["heard_s"] == 100.0


def test_changes_hold_only_what_is_new(page_state: PageState, make: Any) -> None:
    page_state.add(make.window([1, 2]), 0.0)
    assert set(page_state.take_changes(0.0)) == {"totals", "series"}
    assert set(page_state.take_changes(0.0)) == {"totals"}
