"""Anomalies and alerts on the page."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from fncast.dashboard.events.event import parse
from fncast.dashboard.events.fields import UnreadableData
from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.figures.incidents import ALERT_TYPE, ANOMALY_TYPE, MAX_CLOSED, MAX_OPEN, Incidents
from fncast.dashboard.state import PageState


def record(
    number: int, data: Any, series: str = "disk", type_: str = ALERT_TYPE, **more: str
) -> ReceivedRecord:
    attributes = {"id": str(number), "source": "fncast/monitor", "type": type_, "subject": series, **more}
    headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
    return ReceivedRecord("alerts", 0, number, 100.0 + number, orjson.dumps(data), [*headers])


def alert(number: int, state: str, series: str = "disk", **more: str) -> ReceivedRecord:
    data = {"rule": "full", "state": state, "threshold": 90.0, "direction": "above"}
    data |= {"expected_at": "2026-05-01T06:00:00Z", "probability": 0.7 if state == "open" else 0.01}
    return record(number, data, series, time="2026-05-01T00:00:00Z", destination="page-me", **more)


def anomaly(
    number: int, state: str, kind: str = "outlier", series: str = "disk", **more: Any
) -> ReceivedRecord:
    data = {
        "kind": kind,
        "state": state,
        "value": 7.0,
        "expected": 5.0,
        "low": 4.0,
        "high": 6.0,
        "score": 0.9,
    }
    data |= dict.fromkeys(("time", "start", "end"), "2026-05-01T00:00:00Z")
    return record(number, data | more, series, ANOMALY_TYPE)


def shown(page_state: PageState, *records: ReceivedRecord) -> tuple[list[Any], list[Any]]:
    for each in records:
        page_state.add(each, 200.0)
    found = page_state.snapshot(200.0)["incidents"]
    orjson.dumps(found)
    return found["open"], found["closed"]


def test_an_alert_is_open_until_it_closes(page_state: PageState) -> None:
    (opened,), closed = shown(page_state, alert(1, "open", modelname="forecast", modelversion="3"))
    assert closed == []
    assert (opened["rule"], opened["series"], opened["model"]) == ("full", "disk", "forecast v3")
    assert (opened["probability"], opened["threshold"], opened["destination"]) == (0.7, 90.0, "page-me")
    assert opened["expected_s"] - opened["start_s"] == 6 * 3600
    assert (opened["opened_s"], opened["closed_s"]) == (101.0, None)
    left, (ended,) = shown(page_state, alert(2, "closed"))
    assert left == []
    assert (ended["probability"], ended["opened_s"], ended["closed_s"]) == (0.7, 101.0, 102.0)
    assert page_state.snapshot(200.0)["totals"]["monitor_age_s"] == 98.0
    assert page_state.snapshot(200.0)["totals"]["unreadable"] == 0


def test_a_closed_anomaly_has_its_last_figures(page_state: PageState) -> None:
    _, (ended,) = shown(page_state, anomaly(1, "open"), anomaly(2, "closed", value=9.0, readings=12))
    assert (ended["value"], ended["readings"], ended["opened_s"]) == (9.0, 12.0, 101.0)
    assert ended["start_s"] == ended["peak_s"] == ended["end_s"]


def test_a_series_may_be_silent_and_unusual(page_state: PageState) -> None:
    opened, _ = shown(
        page_state, anomaly(1, "open"), anomaly(2, "open", "silent"), anomaly(3, "open", "stuck")
    )
    assert [each["kind"] for each in opened] == ["stuck", "silent"]  # the first one's end was missed
    opened, closed = shown(page_state, anomaly(4, "closed", "silent"))
    assert ([each["kind"] for each in opened], [each["kind"] for each in closed]) == (["stuck"], ["silent"])


def test_two_models_worse_than_the_last_value_are_two_alerts(page_state: PageState) -> None:
    data = {"rule": "worse-than-last-value", "state": "open", "skill": -0.2, "model": "x"}
    records = [record(n, data, modelname="forecast", modelversion=str(n)) for n in (1, 2)]
    assert len(shown(page_state, *records)[0]) == 2


def test_a_repeated_event_does_not_open_again(page_state: PageState) -> None:
    opened, closed = shown(
        page_state, alert(1, "open"), alert(2, "closed"), alert(1, "open"), alert(2, "closed")
    )
    assert (opened, len(closed)) == ([], 1)


def test_incidents_are_bounded(page_state: PageState) -> None:
    count = MAX_OPEN + 50
    shown(page_state, *(alert(number, "open", f"disk-{number}") for number in range(count)))
    found = page_state.snapshot(0.0)["incidents"]
    assert (len(found["open"]), found["left_out"], found["open"][0]["series"]) == (
        MAX_OPEN,
        50,
        f"disk-{count - 1}",
    )
    shown(page_state, *(alert(count + number, "closed", f"disk-{number}") for number in range(count)))
    found = page_state.snapshot(0.0)["incidents"]
    assert (found["open"], len(found["closed"]), found["left_out"]) == ([], MAX_CLOSED, 0)


def test_foreign_values_are_cleaned(page_state: PageState) -> None:
    hostile = "\x1b[31m" + "x" * 10_000
    data = {"kind": hostile, "state": "open", "value": "7", "expected": True, "start": [], "score": None}
    (found,), _ = shown(page_state, record(1, data, hostile, ANOMALY_TYPE))
    assert (found["value"], found["expected"], found["start_s"]) == (None, None, None)
    assert len(orjson.dumps(found)) < 1000
    assert found["series"].isprintable()
    assert found["kind"].isprintable()


@pytest.mark.parametrize("data", [None, [], {}, {"state": "maybe"}])
def test_data_without_a_state_is_unreadable(data: Any, page_state: PageState) -> None:
    with pytest.raises(UnreadableData, match="no state"):
        Incidents().add(parse(record(1, data)), 0.0)
    assert shown(page_state, record(1, data)) == ([], [])
    assert page_state.snapshot(0.0)["totals"]["unreadable"] == 1


def test_changes_come_once(page_state: PageState) -> None:
    page_state.add(alert(1, "open"), 0.0)
    assert len(page_state.take_changes(0.0)["incidents"]["open"]) == 1
    assert "incidents" not in page_state.take_changes(1.0)
