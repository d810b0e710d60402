"""A feed of changing series for the live page: windows, forecasts, dead letters, outages and the monitor's events."""

from __future__ import annotations

import json
import threading
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from confluent_kafka import Producer

WINDOW, HORIZON, STEP_S = 24, 6, 0.25
REASON = "values[3] is not finite: 1e308"  # of the first series' dead letter


class Feed(threading.Thread):
    """Publishes a window and its forecast for each series, several times a second, until it is stopped.

    The second series is a large counter. The first one begins with a dead letter.
    """

    def __init__(self, address: str, names: list[str]) -> None:
        super().__init__(daemon=True)
        self._producer = Producer({"bootstrap.servers": address, "linger.ms": 0, "log_level": 0})
        self._names = names
        self._start = datetime.now(UTC)
        self._stopped = threading.Event()

    def run(self) -> None:
        tick = 0
        while True:
            for number, name in enumerate(self._names):
                self._publish(name, number, tick)
            self._producer.poll(0)
            tick += 1
            # Publish the first readings at once, then in real time.
            if tick > 80 and self._stopped.wait(0.1):
                return

    def stop(self) -> None:
        self._stopped.set()
        self.join(10)

    def outage(self, data: dict[str, Any]) -> None:
        """Publish a consumer's report about its route `forecast`."""
        self._produce("outages", "io.fncast.outage.v1", uuid.uuid4().hex, "forecast", data, {})
        self._producer.flush(10)

    def monitored(self, topic: str, kind: str, name: str, data: dict[str, Any], **more: str) -> None:
        """Publish an event of a monitor."""
        self._produce(topic, f"io.fncast.{kind}.v1", uuid.uuid4().hex, name, data, more)
        self._producer.flush(10)

    def _publish(self, name: str, number: int, tick: int) -> None:
        level = 10**12 if number == 1 else 50 + number

        def value(index: int) -> float:
            return level + 10 * ((index % 20) - 10) ** 2 / 100

        identity = uuid.uuid4().hex
        readings = [value(tick + k) for k in range(WINDOW)]
        data: dict[str, Any] = {"start": self._time(tick), "step_s": STEP_S, "values": readings, "unit": "°C"}
        self._produce("metrics", "io.fncast.window.v1", identity, name, data, {"destination": "forecast"})
        medians = [value(tick + WINDOW + k) + 0.2 for k in range(HORIZON)]
        data = {"start": self._time(tick + WINDOW), "step_s": STEP_S, "values": medians, "unit": "°C"}
        data["quantiles"] = {"0.1": [m - 1 for m in medians], "0.5": medians, "0.9": [m + 1 for m in medians]}
        more = {
            "causationid": identity,
            "causationsource": "/test",
            "modelname": "forecast",
            "modelversion": "7",
        }
        self._produce("forecasts", "io.fncast.forecast.v1", identity, name, data, more)
        if number == 0 and tick == 0:
            more = {"destination": "forecast"}
            self._produce("dead-letters", "io.fncast.window.v1", "bad-1", name, data, more, REASON)

    def _time(self, index: int) -> str:
        return (self._start + timedelta(seconds=STEP_S * index)).isoformat()

    def _produce(
        self,
        topic: str,
        kind: str,
        identity: str,
        name: str,
        data: Any,
        more: dict[str, str],
        reason: str = "",
    ) -> None:
        attributes = {"specversion": "1.0", "type": kind, "source": "/test", "id": identity, "subject": name}
        headers = [(f"ce_{key}", text.encode()) for key, text in (attributes | more).items()]
        headers.append(("content-type", b"application/json"))
        if reason:
            headers.append(("fncast-reason", reason.encode()))
        self._producer.produce(topic, json.dumps(data), key=name, headers=headers)
