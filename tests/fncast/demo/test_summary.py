from __future__ import annotations

from itertools import permutations

import pytest

from fncast.dashboard.events.record import ReceivedRecord
from fncast.demo import summary as summary_module
from fncast.demo.summary import DemoSummary


def event(id: str, at_s: float, topic: str = "metrics", **headers: str) -> ReceivedRecord:
    names = {"ce_id": id, "ce_source": "s", "ce_type": "t", **headers}
    return ReceivedRecord(topic, 0, 0, at_s, b"{}", [(name, value.encode()) for name, value in names.items()])


def forecast(id: str, at_s: float) -> ReceivedRecord:
    return event(f"of {id}", at_s, "forecasts", ce_causationid=id, ce_causationsource="s")


def dead_letter(id: str, at_s: float, reason: str) -> ReceivedRecord:
    return event(id, at_s, "dead-letters", **{"fncast-reason": reason})


def summary() -> DemoSummary:
    return DemoSummary("metrics", "forecasts", "dead-letters")


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_events_are_matched_with_their_forecasts_in_any_order(order: tuple[int, ...]) -> None:
    records = [event("1", 10.0), event("2", 11.0), forecast("1", 10.02), forecast("2", 11.04)]
    found = summary()
    for number in order:
        found.add(records[number])
    assert (found.events, found.forecasts, found.pending) == (2, 2, 0)
    assert found.lines() == [
        "2 events in, 2 forecasts out, 0 dead letters",
        "delay, record in to forecast out: median 20 ms, p99 40 ms",
    ]


def test_dead_letters_are_outcomes_and_show_their_reasons() -> None:
    found = summary()
    for number in range(5):
        found.add(event(str(number), 1.0))
        found.add(dead_letter(str(number), 1.1, "too short" if number else "no destination"))
    assert found.pending == 0
    assert found.lines() == [
        "5 events in, 0 forecasts out, 5 dead letters",
        "  4 × too short",
        "  1 × no destination",
    ]


def test_repeats_are_counted_separately() -> None:
    found = summary()
    for record in (event("1", 1.0), forecast("1", 1.5), forecast("1", 9.0)):
        found.add(record)
    assert found.lines()[0] == "1 event in, 1 forecast out (and 1 repeat), 0 dead letters"
    assert found.lines()[1].endswith("median 500 ms, p99 500 ms")


def test_events_without_an_outcome_are_pending() -> None:
    found = summary()
    found.add(event("1", 1.0))
    assert found.lines() == ["1 event in, 0 forecasts out, 0 dead letters, 1 still pending"]


def test_records_that_are_not_events_count() -> None:
    found = summary()
    found.add(ReceivedRecord("metrics", 0, 0, 1.0, b"\xff", []))
    found.add(ReceivedRecord("dead-letters", 0, 0, 1.0, b"\xff", [("fncast-reason", b"not a CloudEvent")]))
    found.add(ReceivedRecord("forecasts", 0, 0, 1.0, None, []))
    assert (found.events, found.forecasts, found.dead_letters, found.pending) == (1, 1, 1, 0)


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary_module, "MAX_OPEN", 10)
    found = summary()
    for number in range(100):
        found.add(event(str(number), 1.0))
        found.add(forecast(f"stranger {number}", 1.0))
    assert found.pending == 10
    assert found.events == found.forecasts == 100


def test_single_readings_are_counted_with_the_forecasts_of_their_windows() -> None:
    found = DemoSummary("metrics", "forecasts", "dead-letters", "telegraf")
    window = {"ce_causationid": "cpu@2026-01-01T00:00:00Z", "ce_causationsource": "kafka:telegraf"}
    for _ in range(3):
        found.add(ReceivedRecord("telegraf", 0, 0, 1.0, b"{}"))
    found.add(event("1", 1.0, "forecasts", **window))
    found.add(event("2", 1.0, "forecasts", **window))
    assert found.pending == 0
    assert found.lines() == [
        "0 events in, 0 forecasts out (and 1 repeat), 0 dead letters",
        "3 single readings in, 1 forecast of their windows out",
    ]


def test_reasons_are_cleaned_and_cut() -> None:
    found = DemoSummary("metrics", "forecasts", "dead-letters")
    headers = [("fncast-reason", b"\x1b[2Jbad " + b"x" * 5000)]
    found.add(ReceivedRecord("dead-letters", 0, 0, 1.0, None, headers))
    assert found.lines()[1].isprintable()
    assert len(found.lines()[1]) < 320
