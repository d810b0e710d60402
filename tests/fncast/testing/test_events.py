"""Events for tests."""

from __future__ import annotations

from fncast.testing.events import completed, window_event


def test_a_window_event_goes_to_the_function_forecast() -> None:
    event = window_event([1.0, None], subject="cpu")
    assert event["data"] == {"start": "2026-01-01T00:00:00Z", "step_s": 3600, "values": [1.0, None]}
    assert (event["type"], event["destination"]) == ("io.fncast.window.v1", "forecast")
    assert event["subject"] == "cpu"


def test_a_window_event_has_the_given_times_and_attributes() -> None:
    event = window_event([1.0], "2026-02-01T00:00:00Z", 60, destination="mean", id="7")
    assert (event["data"]["start"], event["data"]["step_s"]) == ("2026-02-01T00:00:00Z", 60)
    assert (event["destination"], event["id"]) == ("mean", "7")


def test_events_without_an_id_get_different_ones() -> None:
    assert len({completed({})["id"] for _ in range(10)}) == 10


def test_only_missing_attributes_are_completed() -> None:
    event = completed({"source": "/mine", "data": [1]})
    assert (event["source"], event["specversion"], event["data"]) == ("/mine", "1.0", [1])
    assert completed(event) == event
