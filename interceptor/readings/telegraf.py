"""Telegraf's JSON (`data_format = "json"`), one metric or a batch per record.

Source: Telegraf's documentation of its JSON serializer:
`{"fields": {...}, "name": "...", "tags": {...}, "timestamp": 1458229140}` and `{"metrics": [...]}`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from fncast.wording.json import describe
from interceptor.outcome import Headers
from interceptor.readings import lenient_json
from interceptor.readings.contract import (
    MAX_LABELS,
    MAX_READINGS,
    MAX_SHARED,
    Decoded,
    Series,
    Skip,
    UndecodableRecord,
)
from interceptor.readings.naming import NameTemplate, labels_text
from interceptor.readings.numbers import number
from interceptor.readings.times import time_ns

DEFAULT_NAME = "{name}.{field} {tags}"


class _TelegrafMetric(msgspec.Struct):
    """A metric of a batch. tags: not parsed, because all its fields share them."""

    name: str
    fields: dict[str, Any]
    tags: msgspec.Raw = msgspec.Raw(b"{}")
    timestamp: Any = None


class _TelegrafRecord(msgspec.Struct):
    """A record: one metric, or a batch of them in `metrics`."""

    name: str | None = None
    fields: dict[str, Any] | None = None
    tags: msgspec.Raw = msgspec.Raw(b"{}")
    timestamp: Any = None
    metrics: list[msgspec.Raw] | None = None


_record = msgspec.json.Decoder(_TelegrafRecord)
_metric = msgspec.json.Decoder(_TelegrafMetric)
_tags = msgspec.json.Decoder(dict[str, Any])


class TelegrafJson:
    """The format `telegraf-json`: one metric or a batch of metrics per record."""

    def __init__(self, series: str = DEFAULT_NAME, time_unit: str = "auto") -> None:
        """series: template of the names. time_unit: of `timestamp`, as Telegraf's json_timestamp_units; auto guesses.

        Raises ValueError for an invalid template.
        """
        self._template = NameTemplate(series, ("name", "field", "tags"))
        self._time_unit = time_unit

    def decode(self, value: bytes, key: bytes | None, headers: Headers, timestamp_ms: int) -> Decoded:
        try:
            record = lenient_json.decode(_record, value)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise UndecodableRecord(f"not a metric in Telegraf's JSON format: {describe(error)}") from None
        decoded = Decoded()
        if record.metrics is not None:
            if len(record.metrics) > MAX_READINGS:
                raise UndecodableRecord(f"the batch holds more than {MAX_READINGS} metrics")
            for raw in record.metrics:
                try:
                    metric = lenient_json.decode(_metric, raw)
                except (msgspec.MsgspecError, ValueError, RecursionError):
                    decoded.skip(Skip.UNSUPPORTED)
                    continue
                self._add(decoded, metric.name, metric.fields, metric.tags, metric.timestamp)
        elif record.name is None or record.fields is None:
            raise UndecodableRecord(
                "not a metric in Telegraf's JSON format: it needs `name` and `fields`, or `metrics`"
            )
        else:
            self._add(decoded, record.name, record.fields, record.tags, record.timestamp)
        return decoded

    def _add(
        self, decoded: Decoded, name: str, fields: dict[str, Any], tags: msgspec.Raw, timestamp: Any
    ) -> None:
        at_ns = time_ns(timestamp, self._time_unit)
        if at_ns is None:
            decoded.skip(Skip.NO_TIME, len(fields))
            return
        if len(decoded.keys) + len(fields) > MAX_READINGS:
            raise UndecodableRecord(f"the record holds more than {MAX_READINGS} readings")
        tag_bytes = bytes(tags)
        if len(name) + len(tag_bytes) > MAX_SHARED:
            decoded.skip(Skip.NO_SERIES, len(fields))
            return
        keys, values = decoded.keys, decoded.values
        for field, raw in fields.items():
            if type(raw) is not float:  # JSON has no infinities: a float is finite
                found = number(raw)
                if isinstance(found, Skip):
                    decoded.skip(found)
                    continue
                raw = found
            keys.append((name, tag_bytes, field))
            values.append(raw)
        decoded.times_ns += [at_ns] * (len(keys) - len(decoded.times_ns))

    def series(self, key: Any) -> Series | None:
        name, tag_bytes, field = key
        found = _labels(tag_bytes)
        if found is None:
            return None
        labels, text = found
        full = self._template.name({"name": name, "field": field, "tags": text}, labels)
        return None if full is None else Series(full, labels)


@lru_cache(64)  # the fields of a metric share its tags
def _labels(tag_bytes: bytes) -> tuple[dict[str, str], str] | None:
    """Return the tags as labels and as text. None if they cannot be read, or are too many."""
    try:
        tags = _tags.decode(tag_bytes)
    except (msgspec.MsgspecError, ValueError):
        return None
    if len(tags) > MAX_LABELS:
        return None
    labels = {tag: str(text) for tag, text in tags.items()}
    return labels, labels_text(labels)
