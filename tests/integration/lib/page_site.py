"""The live page on a port, without a broker: the tests give it the records that it reads."""

from __future__ import annotations

import socket
import threading
import time
from datetime import datetime, timedelta
from typing import Any

import orjson
import uvicorn

from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.kafka.broker_state import BrokerState
from fncast.dashboard.page import Page
from fncast.dashboard.state import PageState
from fncast.dashboard.topics import PageTopics

WINDOW, HORIZON = 48, 12


class FakeSource:
    """A record source that a test fills."""

    def __init__(self) -> None:
        self.state = BrokerState(True, time.time(), address="kafka:9092")
        self.batches: list[list[ReceivedRecord]] = []

    def start(self) -> None: ...
    def close(self) -> None: ...

    def take(self, timeout_s: float = 0.0) -> list[ReceivedRecord]:
        return self.batches.pop(0) if self.batches else []


class Site:
    """The page on a port, and the records that it reads."""

    def __init__(self) -> None:
        self.source = FakeSource()
        self.count = 0
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        page = Page(self.source, PageState(PageTopics(), time.time() - 60))
        self._server = uvicorn.Server(uvicorn.Config(page, log_level="warning"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})
        self._thread.start()

    def close(self) -> None:
        self._server.force_exit = self._server.should_exit = True
        self._thread.join(20)

    def series(
        self,
        name: str,
        end: datetime,
        step_s: float = 1.0,
        *,
        written_s: float | None = None,
        factor: float = 1.0,
        events: int = 30,
        destination: str = "forecast",
        **forecast: str,
    ) -> None:
        """Add windows and forecasts of a changing series. Its last reading is at `end`."""
        for event in range(events):
            last = end - timedelta(seconds=step_s * (events - 1 - event))
            first = last - timedelta(seconds=step_s * (WINDOW - 1))
            base = round(first.timestamp() / step_s)
            values = [_value(base + k) for k in range(WINDOW)]
            identity = f"{name}-{event}"
            self.add(
                "metrics", name, identity, first, step_s, values, written_s, {"destination": destination}
            )
            ahead = [factor * _value(base + WINDOW + k) for k in range(HORIZON)]
            more = {"causationid": identity, "causationsource": "/t"} | forecast
            start = last + timedelta(seconds=step_s)
            self.add("forecasts", name, f"f-{identity}", start, step_s, ahead, written_s, more)

    def add(
        self,
        topic: str,
        name: str,
        identity: str,
        start: datetime,
        step_s: float,
        values: list[float],
        written_s: float | None,
        more: dict[str, str],
    ) -> None:
        data: dict[str, Any] = {"start": start.isoformat(), "step_s": step_s, "values": values, "unit": "°C"}
        if topic == "forecasts":
            data["quantiles"] = {"0.1": [v - 2 for v in values], "0.9": [v + 2 for v in values]}
        kind = "io.fncast.forecast.v1" if topic == "forecasts" else "io.fncast.window.v1"
        self.event(topic, kind, name, identity, data, written_s, more)

    def event(
        self,
        topic: str,
        kind: str,
        name: str,
        identity: str,
        data: Any,
        written_s: float | None = None,
        more: dict[str, str] | None = None,
    ) -> None:
        attributes = {"specversion": "1.0", "type": kind, "source": "/t", "id": identity, "subject": name}
        headers: list[tuple[str, bytes | None]] = [
            (f"ce_{key}", text.encode()) for key, text in (attributes | (more or {})).items()
        ]
        headers.append(("content-type", b"application/json"))
        at_s = time.time() if written_s is None else written_s
        self.count += 1
        record = ReceivedRecord(topic, 0, self.count, at_s, orjson.dumps(data), headers, written_s is None)
        self.source.batches.append([record])


def _value(index: int) -> float:
    return 30 + 10 * ((index % 20) - 10) ** 2 / 100
