"""What the monitor reads from events, and which events it cannot use."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from fncast.monitor.judge import Judge
from fncast.monitor.messages import UnusableEvent, read_forecast, read_window
from fncast.monitor.rules import MonitorRules
from interceptor.chain import Chain, read
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


def event(type_: str, **attributes: str) -> Event:
    delivery = Delivery(Record("metrics", 0, 0, 0, None, orjson.dumps(DATA), headers(type_, **attributes)))
    read(delivery)
    assert delivery.event is not None
    return delivery.event


def test_names_that_are_too_long_for_the_state_are_refused() -> None:
    with pytest.raises(UnusableEvent, match="the subject is longer than 1024 characters"):
        read_window(event("io.fncast.window.v1", subject="x" * 900_000))
    with pytest.raises(UnusableEvent, match="the model's name is longer than 1024 characters"):
        read_forecast(event("io.fncast.forecast.v1", modelname="x" * 900_000))


def test_unusable_events_take_no_memory() -> None:
    judge = Judge(MonitorRules(), ("metrics",))
    for number in range(3):
        data = orjson.dumps({**DATA, "start": f"{number} is no time"})
        delivery = Delivery(Record("metrics", 0, number, 0, None, data, headers("io.fncast.window.v1")))
        asyncio.run(Chain([judge]).on_consume(Batch([delivery])))
        assert isinstance(delivery.outcome, Skipped)
    assert judge.unusable == 3
