"""Single readings as records, read back by the decoders of their formats."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage

from fncast.produce.reading import Reading
from fncast.produce.single_reading import to_reading_record, to_telegraf_record
from fncast.series.step import Step
from interceptor.readings.formats import build_format

AT = datetime(2026, 1, 1, 12, 30, 0, 250_000, tzinfo=UTC)
AT_NS = 1_767_270_600_250_000_000
READING = Reading("cpu é", 7, AT, Step.seconds(0.25), 12.5, "%", 100.0)


def decoded(format_: str, record: KafkaMessage | None) -> list[Any]:
    assert record is not None
    decoder = build_format(format_, {})
    headers = [
        (name, value.encode() if isinstance(value, str) else value) for name, value in record.headers.items()
    ]
    found = decoder.decode(bytes(record.value), None, headers, 0)
    names = [decoder.series(key) for key in found.keys]
    return [
        (series and series.name, series and series.unit, *rest)
        for series, *rest in zip(names, found.times_ns, found.values, strict=True)
    ]


def test_telegrafs_json_has_name_tags_and_milliseconds() -> None:
    record = to_telegraf_record(READING, {"host": "a"})
    assert decoded("telegraf-json", record) == [("cpu é.value host=a", "", AT_NS, 12.5)]
    assert record is not None
    assert record.key == "cpu é".encode()


@pytest.mark.parametrize("mode", ["binary", "structured"])
def test_an_event_has_unit_and_time(mode: Any) -> None:
    record = to_reading_record(READING, "/here", "forecast", mode)
    assert decoded("cloudevents", record) == [("cpu é", "%", AT_NS, 12.5)]


def test_the_same_reading_has_the_same_id_and_another_run_another_one() -> None:
    ids = []
    for index, run in ((7, ""), (7, ""), (8, ""), (7, "b")):
        reading = Reading("cpu", index, AT + timedelta(seconds=index), Step.seconds(1), 1.0)
        record = to_reading_record(reading, "/here", "forecast", "binary", run)
        assert record is not None
        ids.append(record.headers["ce_id"])
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_missing_reading_has_no_record(value: float) -> None:
    missing = Reading("cpu", 0, AT, Step.seconds(1), value)
    assert to_telegraf_record(missing, {}) is None
    assert to_reading_record(missing, "/here", "forecast", "binary") is None
