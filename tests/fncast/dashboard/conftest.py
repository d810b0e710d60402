"""Fixtures: records as producers and the consumer write them, and a broker."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fncast.dashboard.event import ReceivedEvent, parse
from fncast.dashboard.page import Page
from fncast.dashboard.record import ReceivedRecord
from fncast.dashboard.series_view import SeriesView
from fncast.dashboard.state import PageState, PageTopics
from tests.fncast.dashboard.page_calls import Records

sys.path.append(str(Path(__file__).parent))  # `tests` is not a package
from mock_broker import MockBroker

START = datetime(2024, 5, 1, tzinfo=UTC)


class RecordFactory:
    """Creates records. Times are numbers of steps after START."""

    def __init__(self) -> None:
        self.count = 0

    def record(
        self, topic: str, attributes: dict[str, str], data: Any, timestamp_s: float = 0.0
    ) -> ReceivedRecord:
        self.count += 1
        headers = [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
        value = data if isinstance(data, bytes) or data is None else json.dumps(data).encode()
        headers.append(("content-type", b"application/json"))
        return ReceivedRecord(topic, 0, self.count, timestamp_s, value, headers)

    def window(
        self,
        values: list[Any],
        at: int = 0,
        *,
        series: str = "cpu",
        event_id: str = "",
        step_s: float = 300,
        timestamp_s: float = 0.0,
    ) -> ReceivedRecord:
        """A window whose first reading is `at` steps after START."""
        attributes = self.attributes("io.fncast.window.v1", event_id or f"w{self.count}", series)
        return self.record(
            "metrics", attributes | {"destination": "forecast"}, self.data(values, at, step_s), timestamp_s
        )

    def forecast(
        self,
        values: list[float],
        at: int,
        *,
        low: list[float] | None = None,
        high: list[float] | None = None,
        series: str = "cpu",
        event_id: str = "",
        cause: str = "",
        model: str = "1",
        timestamp_s: float = 0.0,
    ) -> ReceivedRecord:
        data = self.data(values, at)
        if low and high:
            data["quantiles"] = {"0.1": low, "0.5": values, "0.9": high}
        attributes = self.attributes("io.fncast.forecast.v1", event_id or f"f{self.count}", series)
        attributes |= {"modelname": "forecast", "modelversion": model}
        if cause:
            attributes |= {"causationid": cause, "causationsource": "/test"}
        return self.record("forecasts", attributes, data, timestamp_s)

    @staticmethod
    def attributes(kind: str, event_id: str, series: str) -> dict[str, str]:
        return {"specversion": "1.0", "type": kind, "source": "/test", "id": event_id, "subject": series}

    @staticmethod
    def data(values: list[Any], at: int, step_s: float = 300) -> dict[str, Any]:
        start = (START + timedelta(seconds=step_s * at)).isoformat()
        return {"start": start, "step_s": step_s, "values": values, "unit": "%"}

    def window_event(self, values: list[Any], at: int = 0, **more: Any) -> ReceivedEvent:
        return parse(self.window(values, at, **more))

    def forecast_event(self, values: list[float], at: int, **more: Any) -> ReceivedEvent:
        return parse(self.forecast(values, at, **more))

    def outage(
        self, route: str = "forecast", source: str = "/fncast/a", live: bool = True, **data: Any
    ) -> ReceivedRecord:
        """A consumer's report about a route."""
        attributes = self.attributes("io.fncast.outage.v1", "o", route) | {"source": source}
        record = self.record(
            "outages", attributes, {"over": False, "reason": "502", "since": "2024-05-01"} | data
        )
        return ReceivedRecord(
            record.topic, 0, record.offset, record.timestamp_s, record.value, record.headers, live
        )

    def bare_event(self, values: list[Any]) -> ReceivedEvent:
        return parse(self.record("metrics", self.attributes("t", f"b{self.count}", "bare"), values))


@pytest.fixture
def make() -> RecordFactory:
    return RecordFactory()


@pytest.fixture
def page_state() -> PageState:
    return PageState(PageTopics(), 0.0)


@pytest.fixture
def view() -> SeriesView:
    return SeriesView("cpu")


@pytest.fixture
def broker() -> Iterator[MockBroker]:
    started = MockBroker()
    yield started
    started.close()


@pytest.fixture
def source() -> Records:
    return Records()


@pytest.fixture
async def page(source: Records) -> AsyncIterator[Page]:
    """A page that has started."""
    app = Page(source, PageState(PageTopics(), 0.0))
    to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    from_app: asyncio.Queue[Any] = asyncio.Queue()
    task = asyncio.create_task(app({"type": "lifespan"}, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    assert (await from_app.get())["type"] == "lifespan.startup.complete"
    yield app
    await to_app.put({"type": "lifespan.shutdown"})
    assert (await from_app.get())["type"] == "lifespan.shutdown.complete"
    await task
    assert not source.running
