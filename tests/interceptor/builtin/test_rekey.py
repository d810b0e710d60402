"""`rekey`: records of a topic become records of another topic, keyed by series."""

from __future__ import annotations

import json

import pytest

from interceptor.builtin.rekey import Rekey, RekeyedInput
from interceptor.delivery import Batch, Delivery, Record, Tick
from interceptor.outcome import DeadLetter, Forecast, Skipped
from interceptor.readings import by_series
from interceptor.readings.contract import Format
from interceptor.readings.formats import build_format


def record(value: bytes | None, topic: str = "telegraf") -> Record:
    return Record(topic, 0, 0, 5, None, value, [])


def telegraf(**fields: object) -> bytes:
    return json.dumps(
        {"name": "cpu", "tags": {"host": "a"}, "timestamp": 1_700_000_000, "fields": fields}
    ).encode()


async def rekeyed(record: Record, format_: Format) -> Delivery:
    delivery = Delivery(record)
    await Rekey({"telegraf": RekeyedInput(format_, "telegraf-by-series")}).on_consume(Batch([delivery]))
    return delivery


async def test_a_record_becomes_a_record_of_the_target_for_each_series():
    delivery = await rekeyed(record(telegraf(idle=1, busy=2)), build_format("telegraf-json", {}))
    assert isinstance(delivery.outcome, Forecast)
    assert [(event.topic, event.key) for event in delivery.outcome.events] == [
        ("telegraf-by-series", b"cpu.idle host=a"),
        ("telegraf-by-series", b"cpu.busy host=a"),
    ]
    assert delivery.first_reading_ns == 1_700_000_000 * 10**9


async def test_records_of_other_topics_pass():
    assert (await rekeyed(record(telegraf(v=1), "other"), build_format("telegraf-json", {}))).outcome is None


@pytest.mark.parametrize("is_event", [True, False])
async def test_ticks_pass(is_event):
    """A partition of the topic gets ticks if a user's interceptor has state for it."""
    tick = Delivery(Tick("telegraf", 0, 0, 5, None, None, []))
    inputs = {"telegraf": RekeyedInput(build_format("telegraf-json", {}), "telegraf-by-series", is_event)}
    await Rekey(inputs).on_consume(Batch([tick]))
    assert tick.outcome is None


@pytest.mark.parametrize("value", [None, telegraf(version="6.1")])
async def test_a_record_without_numbers_is_skipped(value):
    assert isinstance((await rekeyed(record(value), build_format("telegraf-json", {}))).outcome, Skipped)


@pytest.mark.parametrize("fails", ["decode", "series"])
async def test_a_format_that_fails_makes_dead_letters(fails):
    def fail(*args: object) -> None:
        raise KeyError("v")

    format_ = build_format("telegraf-json", {})
    setattr(format_, fails, fail)
    delivery = await rekeyed(record(telegraf(v=1)), format_)
    assert isinstance(delivery.outcome, DeadLetter)
    assert delivery.outcome.kind == "undecodable"


async def test_a_record_that_is_too_large_by_series_is_a_dead_letter(monkeypatch):
    monkeypatch.setattr(by_series, "MAX_BYTES", 10)
    delivery = await rekeyed(record(telegraf(v=1)), build_format("telegraf-json", {}))
    assert isinstance(delivery.outcome, DeadLetter)
    assert delivery.outcome.reason.startswith("its readings have more than")
