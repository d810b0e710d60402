"""Counts, delays, destinations and models, through the page's state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.state import PageState


def test_late_events_without_an_answer_are_counted(page_state: PageState, make: Any) -> None:
    for name in ("answered", "rejected", "waiting"):
        page_state.add(make.window([1, 2], event_id=name, timestamp_s=100.0), 100.0)
    page_state.add(replace(make.window([1, 2], event_id="history", timestamp_s=1.0), is_live=False), 100.0)
    page_state.add(make.forecast([3], 2, cause="answered", timestamp_s=100.0), 100.0)
    letter = make.window([1, 2], event_id="rejected")
    page_state.add(ReceivedRecord("dead-letters", 0, 0, 100.0, letter.value, letter.headers), 100.0)
    assert page_state.snapshot(101.0)["totals"]["waiting"] == 0
    assert page_state.snapshot(120.0)["totals"]["waiting"] == 1


def test_forecasts_delivered_twice_are_counted_as_repeats(page_state: PageState, make: Any) -> None:
    for _ in range(2):
        page_state.add(make.forecast([3], 2, event_id="same", cause="a", timestamp_s=100.0), 100.0)
    totals = page_state.snapshot(101.0)["totals"]
    assert (totals["forecasts"], totals["repeats"]) == (1, 1)


def test_answers_that_are_not_forecasts_are_counted_separately(page_state: PageState, make: Any) -> None:
    page_state.add(make.window([1, 2], event_id="a", timestamp_s=100.0), 100.0)
    attributes = make.attributes("com.example.alarm", "x", "cpu")
    cause = {"causationid": "a", "causationsource": "/test"}
    page_state.add(make.record("forecasts", attributes | cause, {"level": 3}, 100.0), 100.0)
    totals = page_state.snapshot(120.0)["totals"]
    assert (totals["forecasts"], totals["others"], totals["waiting"]) == (0, 1, 0)
    assert totals["answer_age_s"] == 20.0


def test_history_does_not_count_for_the_last_minute(page_state: PageState, make: Any) -> None:
    page_state.add(replace(make.window([1, 2], event_id="a", timestamp_s=10.0), is_live=False), 1000.0)
    page_state.add(replace(make.forecast([3], 2, cause="a", timestamp_s=11.0), is_live=False), 1000.0)
    totals = page_state.snapshot(1000.0)["totals"]
    assert totals["delay"]["count"] == 0
    assert (totals["answer_age_s"], totals["model_age_s"]) == (989.0, 989.0)


def test_destinations_with_answers_are_preferred(page_state: PageState, make: Any) -> None:
    wrong = make.attributes("io.fncast.window.v1", "w", "cpu") | {"destination": "nowhere"}
    page_state.add(make.record("metrics", wrong, [1, 2], 100.0), 100.0)
    assert page_state.snapshot(100.0)["totals"]["destinations"] == ["nowhere"]
    page_state.add(make.window([1, 2], event_id="a", timestamp_s=100.0), 100.0)
    page_state.add(make.forecast([3], 2, cause="a", timestamp_s=100.0), 100.0)
    assert page_state.snapshot(100.0)["totals"]["destinations"] == ["forecast"]


def test_all_models_of_the_last_minute_are_named(page_state: PageState, make: Any) -> None:
    page_state.add(make.forecast([3], 2, model="1", timestamp_s=100.0), 100.0)
    page_state.add(make.forecast([3], 2, model="2", timestamp_s=130.0), 130.0)
    assert page_state.snapshot(130.0)["totals"]["models"] == ["forecast v1", "forecast v2"]
    page_state.add(make.forecast([3], 2, model="2", timestamp_s=170.0), 170.0)
    assert page_state.snapshot(170.0)["totals"]["models"] == ["forecast v2"]
    assert page_state.snapshot(900.0)["totals"]["model_age_s"] == 730.0
