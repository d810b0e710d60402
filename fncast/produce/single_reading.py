"""Single readings as records: in Telegraf's JSON, or as CloudEvents of the type `io.fncast.reading.v1`."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import orjson
from cloudevents.core.bindings.kafka import KafkaMessage
from cloudevents.core.v1.event import CloudEvent

from fncast.produce.events import Mode, to_kafka_record
from fncast.produce.reading import Reading

READING_TYPE = "io.fncast.reading.v1"
FIELD = "value"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_telegraf_record(reading: Reading, tags: dict[str, str]) -> KafkaMessage | None:
    """The reading as Telegraf sends a metric with one field, keyed by series. None for a missing reading.

    The time is in milliseconds, as with `json_timestamp_units = "1ms"`. Telegraf's JSON has no unit.
    """
    if not math.isfinite(reading.value):
        return None
    since = reading.time - _EPOCH
    metric = {
        "fields": {FIELD: reading.value},
        "name": reading.series,
        "tags": tags,
        "timestamp": (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000,
    }
    return KafkaMessage(headers={}, key=reading.series.encode(), value=orjson.dumps(metric))


def to_reading_record(
    reading: Reading, source: str, destination: str, mode: Mode, run: str = ""
) -> KafkaMessage | None:
    """The reading as an event, keyed by series. None for a missing reading. The same reading always has the same id.

    source: a URI-reference. run: distinguishes feeds whose index starts with 0 each time.
    """
    if not math.isfinite(reading.value):
        return None
    data: dict[str, float | str] = {"value": reading.value}
    if reading.unit is not None:
        data["unit"] = reading.unit
    attributes = {
        "specversion": "1.0",
        "id": "-".join(part for part in (reading.series, run, str(reading.index)) if part),
        "source": source,
        "type": READING_TYPE,
        "subject": reading.series,
        "time": reading.time,
        "datacontenttype": "application/json",
        "destination": destination,
        "partitionkey": reading.series,
    }
    return to_kafka_record(CloudEvent(attributes, data), mode)
