"""Records as producers and the consumer write them, for tests of the page and of `fncast watch`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from fncast.dashboard.events.event import ReceivedEvent, parse
from fncast.dashboard.events.record import ReceivedRecord

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
        self, route: str = "forecast", source: str = "/fncast/a", is_live: bool = True, **data: Any
    ) -> ReceivedRecord:
        """A consumer's report about a route."""
        attributes = self.attributes("io.fncast.outage.v1", "o", route) | {"source": source}
        record = self.record(
            "outages", attributes, {"over": False, "reason": "502", "since": "2024-05-01"} | data
        )
        return replace(record, is_live=is_live)

    def bare_event(self, values: list[Any]) -> ReceivedEvent:
        return parse(self.record("metrics", self.attributes("t", f"b{self.count}", "bare"), values))
