from __future__ import annotations

from typing import Any

from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.figures.dead_letters import MAX_LATEST, MAX_REASONS, OTHER_REASONS
from fncast.dashboard.state import PageState


def test_dead_letters_are_counted_by_reason_and_listed_newest_first(page_state: PageState, make: Any) -> None:
    for number, reason in enumerate(["no route", "too short", "no route"]):
        record = make.window([1], timestamp_s=float(number), event_id=f"e{number}")
        headers = [*record.headers, ("fncast-reason", reason.encode()), ("fncast-topic", b"metrics")]
        headers += [("fncast-partition", b"3"), ("fncast-offset", b"17")]
        page_state.add(ReceivedRecord("dead-letters", 0, number, float(number), record.value, headers), 0.0)
    letters = page_state.take_changes(0.0)["dead_letters"]
    assert letters["reasons"] == [{"reason": "no route", "count": 2}, {"reason": "too short", "count": 1}]
    newest = {"time": 2.0, "reason": "no route", "event": "e2", "series": "cpu", "from": "metrics/3@17"}
    assert letters["latest"][0] == newest
    assert "dead_letters" not in page_state.take_changes(0.0)


def test_a_dead_letter_that_is_not_an_event_counts(page_state: PageState) -> None:
    page_state.add(
        ReceivedRecord("dead-letters", 0, 0, None, b"\xff\x00", [("fncast-reason", b"not a CloudEvent")]), 0.0
    )
    assert page_state.snapshot(0.0)["totals"]["dead_letters"] == 1


def test_dead_letters_are_bounded(page_state: PageState) -> None:
    for number in range(3 * MAX_REASONS):
        reason = f"value {number} ".encode() * 1000
        page_state.add(ReceivedRecord("dead-letters", 0, number, 0.0, b"", [("fncast-reason", reason)]), 0.0)
    letters = page_state.snapshot(0.0)["dead_letters"]
    assert len(letters["latest"]) == MAX_LATEST
    assert len(letters["reasons"]) == MAX_REASONS + 1
    assert letters["reasons"][0] == {"reason": OTHER_REASONS, "count": 2 * MAX_REASONS}
    assert sum(item["count"] for item in letters["reasons"]) == letters["total"] == 3 * MAX_REASONS
