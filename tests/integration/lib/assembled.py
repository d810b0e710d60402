"""Readings for the tests of state, the windows that follow from them, and the windows that were forecast.

`windows_of` shares no code with the product.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from confluent_kafka import Message, TopicPartition
from testbed import DeliveryTestbed

from tests.waiting import eventually

START_S = 1_767_225_600  # 2026-01-01T00:00:00Z
STEP_S, WINDOW, LEAST = 10, 16, 3
KEYS = 8
READ_S = 20.0
LATE_EVERY, REPEATED_EVERY, MISSING_EVERY = 11, 13, 17  # records
OWNER = "assemble"
COMPACTED = {"cleanup.policy": "compact"}
CONFIG = f"""
[[inputs]]
topic = "{{topic}}"
format = "telegraf-json"
destination = "forecast"

[windows]
step = "{STEP_S}s"
window = {WINDOW}
min_readings = {LEAST}
"""
Window = list[float | None]


class Completed(NamedTuple):
    """The window that a record completes. partition, offset: of the record."""

    partition: int
    offset: int
    id_: str
    values: Window


def with_windows(testbed: DeliveryTestbed) -> DeliveryTestbed:
    """A testbed whose consumers assemble windows."""
    testbed.config = testbed.folder / "fncast.toml"
    testbed.config.write_text(CONFIG.format(topic=testbed.metrics), "utf-8")
    return testbed


def reading(number: int, keys: int) -> bytes:
    """Record `number`: a step of one of the series. Some are two steps late, some repeat the step before."""
    step = number // keys
    if number % LATE_EVERY == 0:
        step -= 2
    elif number % REPEATED_EVERY == 0:
        step -= 1
    tags, fields = {"k": f"k{number % keys}"}, {"v": number}
    record = {"name": "m", "tags": tags, "timestamp": START_S + step * STEP_S, "fields": fields}
    return json.dumps(record).encode()


def produce(testbed: DeliveryTestbed, count: int, first: int = 1, keys: int = KEYS) -> None:
    """Produce this many records; some steps have none."""
    for number in range(first, first + count):
        value = b"" if number % MISSING_EVERY == 0 else reading(number, keys)
        key = f"k{number % keys}".encode()
        testbed.producer.produce(testbed.metrics, value or None, key)
        if number % 500 == 0:
            testbed.producer.poll(0)
    testbed.flush()


def records_of(testbed: DeliveryTestbed) -> Iterator[Message]:
    """The records of the input topic, by partition in order; not all at once, because there may be a million."""
    reader = testbed.reader()
    try:
        for partition in sorted(reader.list_topics(testbed.metrics, 20).topics[testbed.metrics].partitions):
            reader.assign([TopicPartition(testbed.metrics, partition, 0)])
            while True:
                # With a time-out, the client waits for the whole chunk.
                messages = reader.consume(500, 0) or reader.consume(1, READ_S)
                assert messages, f"nothing was read of {testbed.metrics}/{partition} for {READ_S:g} s"
                yield from (message for message in messages if message.error() is None)
                if any(message.error() is not None for message in messages):  # its end
                    break
    finally:
        reader.close()


def windows_of(records: Iterable[Message]) -> Iterator[Completed]:
    """The windows that these records complete, by partition in order. records: by partition in order."""
    values: dict[tuple[int, str], dict[int, float]] = {}
    newest: dict[tuple[int, str], int] = {}
    for record in records:
        if record.value() is None:
            continue
        raw = json.loads(record.value())
        series = (record.partition(), raw["tags"]["k"])
        step = (raw["timestamp"] - START_S) // STEP_S
        known = values.setdefault(series, {})
        head = newest.get(series)
        if head is not None and step <= head - WINDOW:
            continue
        known[step] = float(raw["fields"]["v"])
        if head is not None and step <= head:
            continue
        newest[series] = step
        window = [known.get(at) for at in range(step - WINDOW + 1, step + 1)]
        if sum(value is not None for value in window) >= LEAST:
            end = datetime.fromtimestamp(raw["timestamp"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            id_ = f"m.v k={raw['tags']['k']}@{end}"
            yield Completed(record.partition(), record.offset(), id_, window)


def expected(testbed: DeliveryTestbed) -> dict[str, Window]:
    """The window of each forecast by its id; computed from the input topic alone."""
    return {window.id_: window.values for window in windows_of(records_of(testbed))}


def found(testbed: DeliveryTestbed) -> list[tuple[int, str, Window]]:
    """Partition, id and window of each forecast, by partition in order."""
    return [
        (
            message.partition(),
            dict(message.headers())["ce_causationid"].decode(),
            json.loads(message.value())["seen"]["values"],
        )
        for message in testbed.read_all(testbed.forecasts)
    ]


def wait_for(testbed: DeliveryTestbed, ids: Iterable[str]) -> None:
    """Wait until each of these windows has its forecast."""
    wanted = set(ids)
    eventually(
        lambda: wanted <= {id_ for _, id_, _ in found(testbed)}, 60, lambda: testbed.started[-1].log()[-2000:]
    )


def wait_for_all(testbed: DeliveryTestbed) -> None:
    """Wait until each window of the input topic has its forecast."""
    wait_for(testbed, expected(testbed))


def run_once(testbed: DeliveryTestbed, count: int, first: int = 1) -> str:
    """Produce, consume all of it, and stop. Returns the consumer's log."""
    produce(testbed, count, first=first)
    consumer = testbed.consume()
    wait_for_all(testbed)
    assert consumer.terminate() == 0
    return consumer.log()


def write_state(testbed: DeliveryTestbed, place: int, key: bytes, value: bytes | None) -> None:
    """Write a record to a partition of the state topic. place: its number."""
    testbed.producer.produce(testbed.state, value, key, place)
    testbed.flush()


def check(testbed: DeliveryTestbed, wanted: dict[str, Window] | None = None) -> None:
    """Each window has one forecast, with the right values, in order. wanted: by id; default: those of the input."""
    forecasts = found(testbed)
    assert max(Counter(id_ for _, id_, _ in forecasts).values()) == 1
    assert {id_: values for _, id_, values in forecasts} == (expected(testbed) if wanted is None else wanted)
    ends: dict[tuple[int, str], str] = {}
    for partition, id_, _ in forecasts:
        series, _, end = id_.partition("@")
        assert ends.get((partition, series), "") < end, id_
        ends[partition, series] = end
