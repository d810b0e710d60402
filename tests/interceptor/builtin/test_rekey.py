from __future__ import annotations

import json

import pytest

from interceptor.builtin.rekey import Rekey, RekeyedInput
from interceptor.delivery import Batch, Delivery, Record
from interceptor.outcome import DeadLetter
from interceptor.readings import by_series
from interceptor.readings.formats import build_format


def record(value: bytes | None, topic: str = "telegraf") -> Record:
    return Record(topic, 0, 0, 5, None, value, [])


def telegraf(**fields: object) -> bytes:
    return json.dumps(
        {"name": "cpu", "tags": {"host": "a"}, "timestamp": 1_700_000_000, "fields": fields}
    ).encode()


@pytest.mark.parametrize("fails", ["decode", "series"])
async def test_a_format_that_fails_makes_dead_letters(fails):
    def fail(*args: object) -> None:
        raise KeyError("v")

    format_ = build_format("telegraf-json", {})
    setattr(format_, fails, fail)
    delivery = Delivery(record(telegraf(v=1)))
    await Rekey({"telegraf": RekeyedInput(format_, "telegraf-by-series")}).on_consume(Batch([delivery]))
    assert isinstance(delivery.outcome, DeadLetter)
    assert delivery.outcome.kind == "undecodable"


async def test_a_record_that_is_too_large_by_series_is_a_dead_letter(monkeypatch):
    monkeypatch.setattr(by_series, "MAX_BYTES", 10)
    delivery = Delivery(record(telegraf(v=1)))
    format_ = build_format("telegraf-json", {})
    await Rekey({"telegraf": RekeyedInput(format_, "telegraf-by-series")}).on_consume(Batch([delivery]))
    assert isinstance(delivery.outcome, DeadLetter)
    assert delivery.outcome.reason.startswith("its readings have more than")
