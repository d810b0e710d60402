"""Events that the monitor cannot use."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from fncast.monitor.judge import Judge
from fncast.monitor.messages import UnusableEvent, read_forecast, read_window
from fncast.monitor.rules import MonitorRules
from interceptor.chain import Chain, read_delivery
from interceptor.cloudevents.event import Event
from interceptor.delivery import Batch, Delivery, Record
from interceptor.outcome import Headers, Skipped

DATA = {"start": "2026-01-01T00:00:00Z", "step_s": 60, "values": [1.0], "quantiles": {"0.5": [1.0]}}


def headers(type_: str, **attributes: str) -> Headers:
    names = {"specversion": "1.0", "id": "1", "source": "/t", "type": type_, "subject": "pump", **attributes}
    return [
        ("content-type", b"application/json"),
        *((f"ce_{name}", text.encode()) for name, text in names.items()),
    ]


def event(type_: str, more: dict[str, Any] | None = None, **attributes: str) -> Event:
    data = orjson.dumps({**DATA, **(more or {})})
    delivery = Delivery(Record("metrics", 0, 0, 0, None, data, headers(type_, **attributes)))
    read_delivery(delivery)
    assert delivery.event is not None
    return delivery.event


def test_names_that_are_too_long_for_the_state_are_rejected() -> None:
    with pytest.raises(UnusableEvent, match="the subject is longer than 1024 characters"):
        read_window(event("io.fncast.window.v1", subject="x" * 900_000))
    with pytest.raises(UnusableEvent, match="the model's name is longer than 1024 characters"):
        read_forecast(event("io.fncast.forecast.v1", modelname="x" * 900_000))


@pytest.mark.parametrize(
    ("grid", "reason"),
    [
        ({"start": "9999-12-01T00:00:00Z", "step_s": None, "step": "P1M"}, "1 steps after 9999-12-01"),
        ({"start": "9999-12-31T23:59:59Z"}, "1 steps after 9999-12-31"),
        ({"step_s": None, "step": "P9998Y"}, "1 steps after 2026-01-01"),
        ({"step_s": 1e-9}, "shorter than a microsecond"),
    ],
)
def test_a_grid_whose_steps_have_no_time_is_rejected(grid: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnusableEvent, match=reason):
        read_window(event("io.fncast.window.v1", grid))
    with pytest.raises(UnusableEvent, match=reason):
        read_forecast(event("io.fncast.forecast.v1", grid))


@pytest.mark.parametrize("number", [1.1e18, -1e308])
def test_numbers_beyond_those_of_models_are_rejected(number: float) -> None:
    with pytest.raises(UnusableEvent, match="the newest value is beyond"):
        read_window(event("io.fncast.window.v1", {"values": [1.0, number]}))
    with pytest.raises(UnusableEvent, match="a quantile is beyond"):
        read_forecast(event("io.fncast.forecast.v1", {"quantiles": {"0.5": [1.0, number]}}))


def test_an_event_may_not_end_after_the_last_year() -> None:
    grid = {"start": "9998-01-01T00:00:00Z", "step_s": None, "step": "P1Y"}
    with pytest.raises(UnusableEvent, match="3 steps after 9998-01-01"):
        read_forecast(event("io.fncast.forecast.v1", {**grid, "quantiles": {"0.5": [1.0] * 3}}))
    with pytest.raises(UnusableEvent, match="2 steps after 9998-01-01"):
        read_window(event("io.fncast.window.v1", {**grid, "values": [1.0] * 2}))


def test_unusable_events_take_no_memory() -> None:
    judge = Judge(MonitorRules(), ("metrics",))
    for number in range(3):
        data = orjson.dumps({**DATA, "start": f"{number} is not a time"})
        delivery = Delivery(Record("metrics", 0, number, 0, None, data, headers("io.fncast.window.v1")))
        asyncio.run(Chain([judge]).on_consume(Batch([delivery])))
        assert isinstance(delivery.outcome, Skipped)
    assert judge.unusable == 3
