"""The whole page's figures from records, without a broker."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from fncast.dashboard.board import MAX_SERIES, Board, Topics
from fncast.dashboard.dead_letters import MAX_LATEST, MAX_REASONS, OTHER_REASONS
from fncast.dashboard.outages import FORGET_S
from fncast.dashboard.record import Record


@pytest.fixture
def board() -> Board:
    return Board(Topics(), 0.0)


def test_counts_events_forecasts_and_their_delay(board: Board, make: Any) -> None:
    board.add(make.window([1, 2, 3], event_id="a", timestamp_s=10.0), 1.0)
    board.add(make.forecast([4], 3, cause="a", timestamp_s=10.02), 1.0)
    totals = board.snapshot(2.0)["totals"]
    assert (totals["events"], totals["forecasts"], totals["unreadable"]) == (1, 1, 0)
    assert totals["delay"]["p50_s"] == pytest.approx(0.02)
    assert (totals["destination"], totals["model"]) == ("forecast", "forecast v1")


def test_reads_structured_events_as_well(board: Board, make: Any) -> None:
    attributes = make.attributes("io.fncast.window.v1", "a", "cpu")
    value = json.dumps(attributes | {"data": make.data([1, 2], 0)}).encode()
    headers: list[tuple[str, bytes | None]] = [
        ("Content-Type", b"application/cloudevents+json; charset=utf-8")
    ]
    board.add(Record("metrics", 0, 0, 0.0, value, headers), 0.0)
    assert board.snapshot(0.0)["series"][0]["actual"] == [1, 2]


@pytest.mark.parametrize(
    "value", [b"", b"{", b"[1,2", b'{"values":[1e308],"start":"x","step_s":1}', None, b"\xff"]
)
@pytest.mark.parametrize("topic", ["metrics", "forecasts", "training", "outages"])
def test_what_cannot_be_shown_is_counted_and_harms_nothing(
    board: Board, make: Any, topic: str, value: bytes | None
) -> None:
    kind = {"forecasts": "io.fncast.forecast.v1", "training": "io.fncast.training.v1"}.get(topic, "t")
    board.add(make.record(topic, make.attributes(kind, "x", "cpu"), value), 0.0)
    board.add(Record(topic, 0, 0, None, value), 0.0)
    assert board.snapshot(0.0)["series"] == []
    assert board.snapshot(0.0)["totals"]["unreadable"] >= 1
    orjson.dumps(board.snapshot(0.0))


def test_a_forecast_without_start_follows_its_own_input(board: Board, make: Any) -> None:
    for number, values in enumerate(([1, 2, 3], [2, 3, 4], [3, 4, 5])):
        attributes = make.attributes("io.fncast.window.v1", f"b{number}", "bare")
        board.add(make.record("metrics", attributes, values), 0.0)
    attributes = make.attributes("io.fncast.forecast.v1", "f", "bare")
    cause = {"causationid": "b1", "causationsource": "/test"}
    board.add(make.record("forecasts", attributes | cause, {"values": [4.5, 5.5]}), 0.0)
    shown = board.snapshot(0.0)["series"][0]
    assert shown["forecast"]["start"] == 4  # after the reading 4, the last of b1
    assert shown["score"]["mae"] == 0.5


def test_the_quietest_series_makes_room(board: Board, make: Any) -> None:
    for number in range(MAX_SERIES + 1):
        board.add(make.window([1, 2], series=f"s{number}"), 0.0)
        board.add(make.window([1, 2], series="s0"), 0.0)
    names = {one["name"] for one in board.snapshot(0.0)["series"]}
    assert len(names) == MAX_SERIES
    assert {"s0", f"s{MAX_SERIES}"} <= names
    assert board.take_changes(0.0)["gone"] == ["s1"]


def test_changes_hold_only_what_is_new(board: Board, make: Any) -> None:
    board.add(make.window([1, 2]), 0.0)
    assert set(board.take_changes(0.0)) == {"totals", "series"}
    assert set(board.take_changes(0.0)) == {"totals"}


def test_dead_letters_are_counted_by_reason_the_latest_first(board: Board, make: Any) -> None:
    for number, reason in enumerate(["no route", "too short", "no route"]):
        record = make.window([1], timestamp_s=float(number), event_id=f"e{number}")
        headers = [*record.headers, ("fncast-reason", reason.encode()), ("fncast-topic", b"metrics")]
        headers += [("fncast-partition", b"3"), ("fncast-offset", b"17")]
        board.add(Record("dead-letters", 0, number, float(number), record.value, headers), 0.0)
    letters = board.take_changes(0.0)["dead_letters"]
    assert letters["reasons"] == [{"reason": "no route", "count": 2}, {"reason": "too short", "count": 1}]
    newest = {"time": 2.0, "reason": "no route", "event": "e2", "series": "cpu", "from": "metrics/3@17"}
    assert letters["latest"][0] == newest
    assert "dead_letters" not in board.take_changes(0.0)


def test_a_dead_letter_that_is_no_event_still_counts(board: Board) -> None:
    board.add(Record("dead-letters", 0, 0, None, b"\xff\x00", [("fncast-reason", b"no CloudEvent")]), 0.0)
    assert board.snapshot(0.0)["totals"]["dead_letters"] == 1


def test_dead_letters_are_bounded(board: Board) -> None:
    for number in range(3 * MAX_REASONS):
        reason = f"value {number} ".encode() * 1000
        board.add(Record("dead-letters", 0, number, 0.0, b"", [("fncast-reason", reason)]), 0.0)
    letters = board.snapshot(0.0)["dead_letters"]
    assert len(letters["latest"]) == MAX_LATEST
    assert len(letters["reasons"]) == MAX_REASONS + 1
    assert letters["reasons"][0] == {"reason": OTHER_REASONS, "count": 2 * MAX_REASONS}
    assert sum(one["count"] for one in letters["reasons"]) == letters["total"] == 3 * MAX_REASONS


def test_the_falling_error_of_a_training(board: Board, make: Any) -> None:
    def epoch(number: int, **more: Any) -> Record:
        data = {"epoch": number, "epochs": 3, "loss": 1 / number, "val_loss": 2 / number, **more}
        record: Record = make.record(
            "training", make.attributes("io.fncast.training.v1", f"t{number}", "m"), data
        )
        return record

    board.add(epoch(1), 0.0)
    board.add(epoch(2, done=True), 0.0)
    training = board.take_changes(0.0)["training"]
    assert training["epochs"] == [
        {"epoch": 1.0, "loss": 1.0, "val_loss": 2.0},
        {"epoch": 2.0, "loss": 0.5, "val_loss": 1.0},
    ]
    assert (training["of"], training["done"]) == (3, True)
    board.add(epoch(1), 0.0)  # the next training
    assert board.snapshot(0.0)["training"]["done"] is False
    assert len(board.snapshot(0.0)["training"]["epochs"]) == 1


def outage(
    make: Any, route: str = "forecast", source: str = "/fncast/a", live: bool = True, **data: Any
) -> Record:
    """What a consumer tells of a route."""
    attributes = make.attributes("io.fncast.outage.v1", "o", route) | {"source": source}
    told = make.record("outages", attributes, {"over": False, "reason": "502", "since": "2024-05-01"} | data)
    return Record(told.topic, 0, told.offset, told.timestamp_s, told.value, told.headers, live)


def outages(board: Board, now_s: float) -> Any:
    return board.take_changes(now_s)["totals"]["outages"]


def test_a_route_is_out_until_its_consumer_says_otherwise(board: Board, make: Any) -> None:
    board.add(outage(make), 100.0)
    assert outages(board, 101.0) == [{"route": "forecast", "since": "2024-05-01", "reason": "502"}]
    board.add(outage(make, over=True), 102.0)
    assert outages(board, 103.0) == []


def test_a_route_that_two_consumers_find_out_is_told_once_until_both_are_served(
    board: Board, make: Any
) -> None:
    board.add(outage(make), 100.0)
    board.add(outage(make, source="/fncast/b", since="2024-04-30"), 100.0)
    assert [one["since"] for one in outages(board, 101.0)] == ["2024-04-30"]
    board.add(outage(make, source="/fncast/b", over=True), 101.0)
    assert [one["since"] for one in outages(board, 101.0)] == ["2024-05-01"]


def test_an_outage_that_nobody_tells_any_more_is_forgotten(board: Board, make: Any) -> None:
    board.add(outage(make), 100.0)
    assert outages(board, 100.0 + FORGET_S) != []
    assert outages(board, 101.0 + FORGET_S) == []
    board.add(outage(make, live=False), 200.0)  # of the history: told at 0
    assert outages(board, 200.0) == []
