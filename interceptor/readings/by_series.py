"""Readings of one series per record, keyed by series: the format of the topics that fncast keys by series itself."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import msgspec

from fncast.wording.json import describe
from interceptor.outcome import Headers
from interceptor.readings.contract import Decoded, Format, Kind, Series, Skip, UndecodableRecord
from interceptor.readings.naming import is_unicode


class _Record(msgspec.Struct, omit_defaults=True):
    """readings: pairs of nanoseconds since 1970 UTC and a value."""

    series: str
    readings: list[tuple[int, float]]
    labels: dict[str, str] = {}
    unit: str = ""
    kind: Kind = Kind.GAUGE


_decoder = msgspec.json.Decoder(_Record)
_encode = msgspec.json.Encoder().encode


class BySeries:
    """Decodes what `encode` has written."""

    def decode(self, value: bytes, key: bytes | None, headers: Headers, timestamp_ms: int) -> Decoded:
        try:
            record = _decoder.decode(value)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise UndecodableRecord(f"not readings by series: {describe(error)}") from None
        decoded = Decoded([], [], [], {})
        name = (record.series, tuple(sorted(record.labels.items())), record.unit, record.kind)
        for time_ns, number in record.readings:
            decoded.add(name, time_ns, number)
        return decoded

    def series(self, key: Any) -> Series | None:
        name, labels, unit, kind = key
        return Series(name, dict(labels), unit, kind)


def encode(decoded: Decoded, format_: Format) -> list[tuple[bytes, bytes]]:
    """Key and value of a record for each series of these readings. Readings without a series are skipped."""
    readings: dict[Hashable, list[tuple[int, float]]] = {}
    for key, time_ns, value in zip(decoded.keys, decoded.times_ns, decoded.values, strict=True):
        readings.setdefault(key, []).append((time_ns, value))
    records = []
    for key, pairs in readings.items():
        series = format_.series(key)
        if series is None or not is_unicode(series.name):
            decoded.skip(Skip.NO_SERIES, len(pairs))
            continue
        record = _Record(series.name, pairs, series.labels, series.unit, series.kind)
        records.append((series.name.encode(), _encode(record)))
    return records
