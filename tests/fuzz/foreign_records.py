"""Wrong Kafka records: events with a few faults, all drawn from one random generator."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from typing import Any

from fuzz_bytes import mutated
from fuzz_json import mutated_document

from interceptor.delivery import Record, UnreadableRecord
from interceptor.outcome import Headers

WINDOW = {"start": "2026-01-01T00:00:00Z", "step_s": 3600, "values": [float(n % 24) for n in range(48)]}
ATTRIBUTES = {
    "specversion": "1.0",
    "id": "t1",
    "source": "/t",
    "type": "io.fncast.window.v1",
    "subject": "pump",
    "destination": "forecast",
}
JSON_TYPE = b"application/json"
STRUCTURED_TYPE = b"application/cloudevents+json"
DESTINATIONS = ("forecast", "single")  # a route that takes batches, and one that takes single binary events

# Wrong values of a header.
_VALUES = (
    None, b"", b" ", b"\x00", b"\xff\xfe", b"\x1b[2J\x1b[31mEVIL\x1b[0m\r\nx", b"x" * 100_000,
    "\u202e\ufeff\u200b".encode(),
    b"1.0", b"0.3", b"forecast", b"single", b"nowhere", b"http://127.0.0.1:1/", JSON_TYPE, b"Application/JSON; a=b",
    b"text/plain", STRUCTURED_TYPE, b"application/cloudevents-batch+json", b"application/cloudevents+avro",
    b"9" * 5000, b"-1",
)  # fmt: skip
_TIMES = (
    b"2099-01-01t00:00:00z", b"2016-12-31T23:59:60Z", b"20990101T000000Z", b"2099-W01-1T00:00:00Z", b"soon", b"",
    b"2099-01-01T00:00:00+0200", b"9999-12-31T23:59:59-23:59", b"0001-01-01T00:00:00+23:59", b"2099-01-01T00:00:00,5Z",
)  # fmt: skip
_NAMES = (
    "content-type", "contentType", "Content-Type", "ce_datacontenttype", "ce_specversion", "ce_id", "ce_source",
    "ce_type", "ce_subject", "ce_destination", "ce_expirytime", "ce_partitionkey", "ce_traceparent", "ce_time",
    "ce_data", "ce_", "ce_ID", "ce-id", "CE_ID", "cloudEvents:id", "ce_\x1b[2J", 'ce_a":1,"b', "", "x", "\x1b",
    "knativeerrordata", "knativeerrordest", "fncast-reason", "fncast-offset", "fncast-attempts", "fncast-topic",
)  # fmt: skip
_TIMESTAMPS = (0, -1, 1_767_225_600_000, 2**62, -(2**62))
_MAX_EDITS = 4
_UNREADABLE_SHARE = 0.01


def good_record(offset: int, destination: str = "forecast", id_: str = "good") -> Record:
    """Return a valid record, which gets a forecast."""
    attributes = ATTRIBUTES | {"id": id_, "destination": destination}
    return Record(
        "metrics", 0, offset, 0, b"key", _json(WINDOW), [*_headers(attributes), ("content-type", JSON_TYPE)]
    )


def foreign_record(randomly: random.Random, offset: int) -> Record:
    """Return a record: mostly an event with a few faults, sometimes random bytes, sometimes a valid event."""
    attributes = ATTRIBUTES | {"id": f"t{offset}", "destination": randomly.choice(DESTINATIONS)}
    headers, value = (
        _structured(randomly, attributes) if randomly.random() < 0.4 else _binary(randomly, attributes)
    )
    for _ in range(randomly.randint(0, _MAX_EDITS)):
        _edit_headers(randomly, headers)
    kind: Callable[..., Record] = Record if randomly.random() >= _UNREADABLE_SHARE else UnreadableRecord
    key = randomly.choice((None, b"", b"key", b"\xff\x00"))
    return kind("metrics", 0, offset, randomly.choice(_TIMESTAMPS), key, value, headers)


def _binary(randomly: random.Random, attributes: dict[str, Any]) -> tuple[Headers, bytes | None]:
    headers: Headers = _headers(attributes)
    if randomly.random() < 0.7:
        headers.append(("content-type", JSON_TYPE))
    return headers, _data(randomly)


def _structured(randomly: random.Random, attributes: dict[str, Any]) -> tuple[Headers, bytes | None]:
    document: dict[str, Any] = dict(attributes)
    data = _data(randomly)
    kind = randomly.randrange(4)
    if kind == 0:
        document["data_base64"] = base64.b64encode(data or b"").decode()
    elif kind == 1:
        document |= {"data": WINDOW, "data_base64": None}
    else:
        document["data"] = WINDOW
    if randomly.random() < 0.5:
        document = mutated_document(randomly, document)
    value = _json(document)
    return [("content-type", STRUCTURED_TYPE)], mutated(
        randomly, [value]
    ) if randomly.random() < 0.2 else value


def _data(randomly: random.Random) -> bytes | None:
    """Return the bytes of a window, or other bytes."""
    kind = randomly.randrange(10)
    whole = _json(WINDOW)
    if kind <= 3:
        return whole
    if kind <= 5:
        return _json(mutated_document(randomly, WINDOW))
    if kind == 6:
        return mutated(randomly, [whole])
    if kind == 7:
        return _json(whole.decode())  # JSON as a string
    return randomly.choice(
        (None, b"", b"null", b"[]", _json(WINDOW["values"]), b"[" * 2000, b"\xff", b"1e400")
    )


def _edit_headers(randomly: random.Random, headers: Headers) -> None:
    kind = randomly.randrange(7)
    at = randomly.randrange(len(headers) + 1)
    pair = headers[at] if at < len(headers) else ("x", b"y")
    if kind == 0:
        headers[at : at + 1] = []
    elif kind == 1:
        headers.insert(at, pair)  # twice
    elif kind == 2:
        headers[at : at + 1] = [(pair[0], randomly.choice(_VALUES))]
    elif kind == 3:
        headers[at : at + 1] = [(randomly.choice(_NAMES), pair[1])]
    elif kind == 4:
        headers.insert(at, (randomly.choice(_NAMES), randomly.choice(_VALUES)))
    elif kind == 5:
        headers.append(("ce_expirytime", randomly.choice(_TIMES)))
    else:
        randomly.shuffle(headers)


def _headers(attributes: dict[str, Any]) -> Headers:
    return [(f"ce_{name}", str(value).encode()) for name, value in attributes.items()]


def _json(document: Any) -> bytes:
    """Encode with Python's JSON, which also writes NaN, infinities and lone surrogates."""
    return json.dumps(document).encode()
