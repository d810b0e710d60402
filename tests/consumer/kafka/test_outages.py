"""The events about routes that are out, and that a broker that is down does not stop them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from consumer.kafka import outages
from consumer.kafka.outages import REPEAT_S, Outages


class Sent:
    """A producer that keeps the events."""

    def __init__(self) -> None:
        self.records: list[tuple[str, dict[str, Any]]] = []

    def produce(self, topic: str, value: bytes, key: bytes, headers: Any, on_delivery: Any) -> None:
        assert headers == [("content-type", b"application/cloudevents+json; charset=utf-8")]
        event = orjson.loads(value)
        assert key.decode() == event["subject"]
        self.records.append((topic, event))

    def poll(self, timeout_s: float) -> None: ...


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    client = Sent()
    monkeypatch.setattr(outages, "Producer", lambda *_, **__: client)
    return client


def outages_in(sent: Sent) -> list[tuple[str, bool]]:
    return [(event["subject"], event["data"]["over"]) for _, event in sent.records]


def test_an_outage_is_published_when_it_begins_continues_and_ends(sent: Sent) -> None:
    out = {"forecast": "502"}
    reporter = Outages({}, "outages", "/fncast/g/i", lambda: out)
    reporter.look(0.0)
    reporter.look(REPEAT_S / 2)
    assert outages_in(sent) == [("forecast", False)]
    out["other"] = "401"
    reporter.look(REPEAT_S)
    assert outages_in(sent)[1:] == [("forecast", False), ("other", False)]
    del out["forecast"]
    reporter.look(REPEAT_S + 0.1)
    assert outages_in(sent)[3:] == [("forecast", True)]
    topic, first = sent.records[0]
    assert (topic, first["source"], first["data"]["reason"]) == ("outages", "/fncast/g/i", "502")
    assert {event["data"]["since"] for _, event in sent.records if event["subject"] == "forecast"} == {
        first["data"]["since"]
    }


async def test_without_a_topic_nothing_is_published(sent: Sent) -> None:
    await Outages({}, "", "/s", lambda: {"forecast": "502"}).run()
    assert sent.records == []


def test_properties_that_the_client_rejects_stop_nothing() -> None:
    reporter = Outages({"no.such.property": "1"}, "outages", "/s", lambda: {"forecast": "502"})
    reporter.look(0.0)
    reporter.close()
