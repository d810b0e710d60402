"""An `assemble` for two topics, records for it, and a chain as the consumer's loop uses it."""

from __future__ import annotations

import json
from typing import Any

from prometheus_client import REGISTRY

from fncast.series.step import Step
from interceptor.assembly.rules import Rules
from interceptor.builtin.assemble import Assemble, ReadingInput
from interceptor.chain import Chain, mark_done
from interceptor.contract import Interceptor
from interceptor.delivery import Batch, Delivery, Record
from interceptor.outcome import Skipped
from interceptor.readings.formats import build_format
from tests.fake_clock import FakeClock
from tests.interceptor.assembly.partitions import NEW_YEAR_S

RULES = Rules(window=4, minimum=2, step=Step.seconds(10))
TELEGRAF, EVENTS = "telegraf", "events"


class Settle(Interceptor):
    """The rest of the chain: it settles the events that a test chooses. seen: ids of all events."""

    def __init__(self, wants: Any = lambda event: True) -> None:
        self.wants = wants
        self.seen: list[str] = []

    async def on_consume(self, batch: Batch) -> Batch:
        for delivery in batch.pending():
            self.seen.append(str(delivery.opened.attributes["id"]))
            if self.wants(delivery.opened):
                delivery.outcome = Skipped("done")
        return batch


def new_assemble(rules: Rules = RULES, clock: FakeClock | None = None) -> Assemble:
    inputs = {
        TELEGRAF: ReadingInput(build_format("telegraf-json", {}), rules, destination="forecast"),
        EVENTS: ReadingInput(build_format("cloudevents", {}), rules, is_event=True),
    }
    return Assemble(inputs, clock or FakeClock(100.0))


def record(offset: int, value: Any = None, topic: str = TELEGRAF, headers: Any = ()) -> Record:
    """A metric of two fields, or another value."""
    if value is None:
        fields = {"idle": offset, "busy": -offset}
        value = json.dumps(
            {"name": "cpu", "tags": {"h": "a"}, "fields": fields, "timestamp": NEW_YEAR_S + 10 * offset}
        ).encode()
    return Record(topic, 0, offset, (NEW_YEAR_S + 10 * offset) * 1000, b"a", value, list(headers))


def deliver(*records: Record, generation: int = 0) -> Batch:
    return Batch([Delivery(each, generation) for each in records])


class MarkedChain(Chain):
    """A chain as the consumer's loop uses it."""

    async def on_consume(self, batch: Batch) -> Batch:
        batch = await super().on_consume(batch)
        mark_done(batch.deliveries)
        return batch


def chain(assemble: Assemble, *others: Interceptor) -> Chain:
    return MarkedChain([assemble, *others], reading_topics=[TELEGRAF])


def readings(topic: str, outcome: str) -> float:
    return REGISTRY.get_sample_value("fncast_readings_total", {"input": topic, "outcome": outcome}) or 0.0


def event(offset: int, type_: str, data: bytes) -> Record:
    attributes = {"specversion": "1.0", "id": str(offset), "source": "/s", "type": type_, "subject": "pump"}
    attributes["time"] = f"2026-01-01T00:00:{offset:02}0Z"[:19] + "Z"
    headers = [(f"ce_{name}", text.encode()) for name, text in attributes.items()]
    return record(offset, data, EVENTS, headers)
