"""The page's figures, computed from records without a broker."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from fncast.dashboard.dead_letters import MAX_LATEST, MAX_REASONS, OTHER_REASONS
from fncast.dashboard.names import MAX_NAME
from fncast.dashboard.outages import FORGET_S
from fncast.dashboard.record import ReceivedRecord
from fncast.dashboard.series_list import MAX_SERIES
from fncast.dashboard.silence import MIN_SILENT_S
from fncast.dashboard.state import PageState, PageTopics


@pytest.fixture
def page_state() -> PageState:
    return PageState(PageTopics(), 0.0)


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


def shown_names(page_state: PageState) -> set[str]:
    return {item["name"] for item in page_state.snapshot(0.0)["series"]}


def test_the_first_series_keep_their_places_among_a_thousand(page_state: PageState, make: Any) -> None:
    for turn in range(3):
        for number in range(1000):
            page_state.add(
                make.window([1, 2], series=f"s{number}", timestamp_s=float(turn)), now_s=float(turn)
            )
    assert shown_names(page_state) == {f"s{number}" for number in range(MAX_SERIES)}
    assert page_state.snapshot(3.0)["totals"]["left_out"] == 1000 - MAX_SERIES
    assert "gone" not in page_state.take_changes(3.0)


def test_a_new_series_replaces_a_silent_one(page_state: PageState, make: Any) -> None:
    for at_s in (0.0, 1000.0):
        for number in range(MAX_SERIES):
            if at_s == 0.0 or number != 1:
                page_state.add(make.window([1, 2], series=f"s{number}", timestamp_s=at_s), at_s)
    now_s = 3 * 300.0 + 200.0  # s1: one event, of a step of 300 s
    page_state.add(make.window([1, 2], series="new", timestamp_s=now_s), now_s)
    assert "new" in shown_names(page_state)
    assert page_state.take_changes(now_s)["gone"] == ["s1"]
    assert page_state.snapshot(now_s)["totals"]["left_out"] == 0


def test_long_names_and_ids_are_cut_and_stay_different(page_state: PageState, make: Any) -> None:
    for number in range(60):
        name = "x" * 900_000 + str(number)
        page_state.add(make.window([1, 2], series=name, event_id=name), 0.0)
        page_state.add(make.forecast([3], 2, series=name, event_id="f" + name, cause=name, model=name), 0.0)
        page_state.add(outage(make, route=name, source=name), 0.0)
        headers: list[tuple[str, bytes | None]] = [("fncast-reason", name.encode())]
        letter = make.window([1], series=name, event_id=name)
        page_state.add(
            ReceivedRecord("dead-letters", 0, 0, 0.0, letter.value, [*letter.headers, *headers]), 0.0
        )
    state = page_state.snapshot(0.0)
    assert len({item["name"] for item in state["series"]}) == 60
    assert all(len(item["name"]) <= MAX_NAME for item in state["series"])
    assert all(item["forecast"] for item in state["series"])
    assert len(orjson.dumps(state)) < 200_000


def test_unprintable_characters_in_names_are_replaced(page_state: PageState, make: Any) -> None:
    page_state.add(make.window([1, 2], series="a\u202eb\r\nc"), 0.0)
    [name] = shown_names(page_state)
    assert name.isprintable()
    assert name.startswith("a\N{REPLACEMENT CHARACTER}b c #")


def live(record: ReceivedRecord, is_live: bool = True) -> ReceivedRecord:
    return ReceivedRecord(
        record.topic, 0, record.offset, record.timestamp_s, record.value, record.headers, is_live
    )


def test_late_events_without_an_answer_are_counted(page_state: PageState, make: Any) -> None:
    for name in ("answered", "refused", "waiting"):
        page_state.add(make.window([1, 2], event_id=name, timestamp_s=100.0), 100.0)
    page_state.add(live(make.window([1, 2], event_id="history", timestamp_s=1.0), False), 100.0)
    page_state.add(make.forecast([3], 2, cause="answered", timestamp_s=100.0), 100.0)
    letter = make.window([1, 2], event_id="refused")
    page_state.add(ReceivedRecord("dead-letters", 0, 0, 100.0, letter.value, letter.headers), 100.0)
    assert page_state.snapshot(101.0)["totals"]["waiting"] == 0
    assert page_state.snapshot(120.0)["totals"]["waiting"] == 1


def test_forecasts_delivered_twice_are_counted_as_repeats(page_state: PageState, make: Any) -> None:
    for _ in range(2):
        page_state.add(make.forecast([3], 2, event_id="same", cause="a", timestamp_s=100.0), 100.0)
    totals = page_state.snapshot(101.0)["totals"]
    assert (totals["forecasts"], totals["repeats"]) == (1, 1)


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


def test_answers_that_are_not_forecasts_are_counted_separately(page_state: PageState, make: Any) -> None:
    page_state.add(make.window([1, 2], event_id="a", timestamp_s=100.0), 100.0)
    attributes = make.attributes("com.example.alarm", "x", "cpu")
    cause = {"causationid": "a", "causationsource": "/test"}
    page_state.add(make.record("forecasts", attributes | cause, {"level": 3}, 100.0), 100.0)
    totals = page_state.snapshot(120.0)["totals"]
    assert (totals["forecasts"], totals["others"], totals["waiting"]) == (0, 1, 0)
    assert totals["answer_age_s"] == 20.0


def test_history_does_not_count_for_the_last_minute(page_state: PageState, make: Any) -> None:
    page_state.add(live(make.window([1, 2], event_id="a", timestamp_s=10.0), False), 1000.0)
    page_state.add(live(make.forecast([3], 2, cause="a", timestamp_s=11.0), False), 1000.0)
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


def test_the_error_curve_of_a_training(page_state: PageState, make: Any) -> None:
    def epoch(number: int, **more: Any) -> ReceivedRecord:
        data = {"epoch": number, "epochs": 3, "loss": 1 / number, "val_loss": 2 / number, **more}
        record: ReceivedRecord = make.record(
            "training", make.attributes("io.fncast.training.v1", f"t{number}", "m"), data
        )
        return record

    page_state.add(epoch(1), 0.0)
    page_state.add(epoch(2, done=True), 0.0)
    training = page_state.take_changes(0.0)["training"]
    assert training["epochs"] == [
        {"epoch": 1.0, "loss": 1.0, "val_loss": 2.0},
        {"epoch": 2.0, "loss": 0.5, "val_loss": 1.0},
    ]
    assert (training["of"], training["done"]) == (3, True)
    page_state.add(epoch(1), 0.0)  # the next training
    assert page_state.snapshot(0.0)["training"]["done"] is False
    assert len(page_state.snapshot(0.0)["training"]["epochs"]) == 1


def outage(
    make: Any, route: str = "forecast", source: str = "/fncast/a", live: bool = True, **data: Any
) -> ReceivedRecord:
    """A consumer's report about a route."""
    attributes = make.attributes("io.fncast.outage.v1", "o", route) | {"source": source}
    record = make.record(
        "outages", attributes, {"over": False, "reason": "502", "since": "2024-05-01"} | data
    )
    return ReceivedRecord(
        record.topic, 0, record.offset, record.timestamp_s, record.value, record.headers, live
    )


def outages(page_state: PageState, now_s: float) -> Any:
    return page_state.take_changes(now_s)["totals"]["outages"]


def test_a_route_is_out_until_its_consumer_reports_its_end(page_state: PageState, make: Any) -> None:
    page_state.add(outage(make), 100.0)
    assert outages(page_state, 101.0) == [{"route": "forecast", "since": "2024-05-01", "reason": "502"}]
    page_state.add(outage(make, over=True), 102.0)
    assert outages(page_state, 103.0) == []


def test_a_route_that_two_consumers_report_is_listed_once_until_both_report_its_end(
    page_state: PageState, make: Any
) -> None:
    page_state.add(outage(make), 100.0)
    page_state.add(outage(make, source="/fncast/b", since="2024-04-30"), 100.0)
    assert [item["since"] for item in outages(page_state, 101.0)] == ["2024-04-30"]
    page_state.add(outage(make, source="/fncast/b", over=True), 101.0)
    assert [item["since"] for item in outages(page_state, 101.0)] == ["2024-05-01"]


def test_an_outage_that_is_not_repeated_is_forgotten(page_state: PageState, make: Any) -> None:
    page_state.add(outage(make), 100.0)
    assert outages(page_state, 100.0 + FORGET_S) != []
    assert outages(page_state, 101.0 + FORGET_S) == []
    page_state.add(outage(make, live=False), 200.0)  # from the history: written at 0
    assert outages(page_state, 200.0) == []
