"""Readings of one series per record, keyed by series: the format of the topics that fncast keys by series itself."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import msgspec

from fncast.wording.json import describe
from interceptor.outcome import Headers
from interceptor.readings.contract import (
    MAX_LABELS_BYTES,
    MAX_NAME_CHARACTERS,
    Decoded,
    Format,
    MetricKind,
    Series,
    Skip,
    UndecodableRecord,
)
from interceptor.readings.naming import is_unicode
from interceptor.readings.times import MAX_TIME_NS

# Of all records that one input record becomes: each of them repeats the labels of its series.
MAX_BYTES = 64 * 1024 * 1024


class _SeriesRecord(msgspec.Struct, omit_defaults=True):
    """A record as `encode` writes it. readings: pairs of nanoseconds since 1970 UTC and a value."""

    series: str
    readings: list[tuple[int, float]]
    labels: dict[str, str] = {}
    unit: str = ""
    kind: MetricKind = MetricKind.GAUGE


class _RawLabelsRecord(msgspec.Struct):
    """The same record as it is read. Its labels are not parsed, because all its readings share them."""

    series: str
    readings: list[tuple[int, float]]
    labels: msgspec.Raw = msgspec.Raw(b"{}")
    unit: str = ""
    kind: MetricKind = MetricKind.GAUGE


_decoder = msgspec.json.Decoder(_RawLabelsRecord)
_labels = msgspec.json.Decoder(dict[str, str])
_encode = msgspec.json.Encoder().encode


class BySeries:
    """Decodes what `encode` has written."""

    def decode(self, value: bytes, key: bytes | None, headers: Headers, timestamp_ms: int) -> Decoded:
        try:
            record = _decoder.decode(value)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise UndecodableRecord(f"not readings by series: {describe(error)}") from None
        decoded = Decoded()
        name = (record.series, bytes(record.labels), record.unit, record.kind)
        for time_ns, number in record.readings:
            if 0 <= time_ns <= MAX_TIME_NS:
                decoded.add(name, time_ns, number)
            else:
                decoded.skip(Skip.NO_TIME)
        return decoded

    def series(self, key: Any) -> Series | None:
        name, labels, unit, kind = key
        if not 0 < len(name) <= MAX_NAME_CHARACTERS:
            return None
        try:
            return Series(name, _labels.decode(labels), unit, kind)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None


def encode(decoded: Decoded, format_: Format) -> list[tuple[bytes, bytes]]:
    """Key and value of a record for each series of these readings. Readings without a series are skipped.

    Raises UndecodableRecord if they have more than MAX_BYTES.
    """
    readings: dict[Hashable, list[tuple[int, float]]] = {}
    for key, time_ns, value in zip(decoded.keys, decoded.times_ns, decoded.values, strict=True):
        readings.setdefault(key, []).append((time_ns, value))
    records = []
    size = 0
    for key, pairs in readings.items():
        series = format_.series(key)
        if series is None or not is_unicode(series.name):
            decoded.skip(Skip.NO_SERIES, len(pairs))
            continue
        text = "".join([*series.labels, *series.labels.values()])
        labels = series.labels if len(text) <= MAX_LABELS_BYTES and is_unicode(text) else {}
        unit = series.unit if is_unicode(series.unit) else ""
        record = _SeriesRecord(series.name, pairs, labels, unit, series.kind)
        records.append((series.name.encode(), _encode(record)))
        size += len(records[-1][1])
        if size > MAX_BYTES:
            raise UndecodableRecord(
                f"its readings have more than {MAX_BYTES >> 20} MB by series, because each series repeats its labels."
                " Send smaller records"
            )
    return records
