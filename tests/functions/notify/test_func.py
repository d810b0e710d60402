"""`functions/notify` in a process of the FDK behind the function host: what the monitor publishes reaches a webhook."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fncast.monitor.alerts.alert import AlertRule, AlertState
from fncast.monitor.anomalies.episode import Episode
from fncast.monitor.output import alert_event, anomaly_event
from fncast.testing import InputRecord, LocalFncast
from interceptor.outcome import OutputEvent

pytestmark = pytest.mark.integration

POLL_S = 0.01  # of the server, which sees its shutdown then
NOTIFY = Path(__file__).parents[3] / "functions" / "notify"
RULE = AlertRule("disk-full", "web-*", above=90.0, destination="page-me")


class Webhook(ThreadingHTTPServer):
    """Keeps the bodies that it gets, and the tokens."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.events: list[dict[str, Any]] = []
        self.tokens: set[str | None] = set()


class Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.events.append(json.loads(body))
        self.server.tokens.add(self.headers["authorization"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture(scope="module")
def webhook() -> Iterator[Webhook]:
    server = Webhook()
    threading.Thread(target=server.serve_forever, args=(POLL_S,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def acting(webhook: Webhook) -> Iterator[LocalFncast]:
    """A consumer that hands the events of the topic `alerts` to the function."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WEBHOOK_URL", f"http://127.0.0.1:{webhook.server_port}/hook")
        patch.setenv("WEBHOOK_TOKEN", "secret")
        settings = {"kafka": {"input_topics": ["alerts"], "group_id": "acting"}}
        with LocalFncast(functions={"page-me": NOTIFY}, settings=settings) as running:
            yield running


def published(event: OutputEvent) -> InputRecord:
    """The event as the monitor's consumer publishes it."""
    return InputRecord(event.value, event.key, event.headers)


def test_alerts_and_anomalies_reach_the_webhook_once(acting: LocalFncast, webhook: Webhook) -> None:
    alerts = [
        published(alert_event("web-1", "forecast/3", RULE, AlertState(is_open), 0.7, 1e9, "alerts"))
        for is_open in (True, False)
    ]
    episode = Episode("outlier", 1e9, 1e9, 1e9, 7.0, 5.0, 4.0, 6.0, 0.9)
    anomaly = published(anomaly_event("web-1", episode, 1e9, True, "alerts", "page-me"))
    results = acting.process(*alerts, anomaly, alerts[0])
    assert (results.forecasts, results.dead_letters) == ([], [])
    found = [(event["type"].split(".")[2], event["data"]["state"]) for event in webhook.events]
    assert found == [("alert", "open"), ("alert", "closed"), ("anomaly", "open")]
    opened = webhook.events[0]
    assert (opened["subject"], opened["data"]["rule"], opened["modelversion"]) == ("web-1", "disk-full", "3")
    assert webhook.tokens == {"Bearer secret"}


def test_an_event_of_another_type_is_a_dead_letter(acting: LocalFncast, webhook: Webhook) -> None:
    before = len(webhook.events)
    results = acting.process({"type": "io.fncast.forecast.v1", "destination": "page-me", "data": {}})
    (letter,) = results.dead_letters
    assert "neither io.fncast.anomaly.v1 nor io.fncast.alert.v1" in letter.reason
    assert len(webhook.events) == before
