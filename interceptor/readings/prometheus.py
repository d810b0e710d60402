"""Prometheus samples: the JSON of prometheus-kafka-adapter, and remote write as Prometheus itself sends it.

Sources: the README of Telefonica/prometheus-kafka-adapter; Prometheus' Remote-Write 1.0 specification (a protobuf
`WriteRequest`, compressed by snappy's block format; the end of a series is marked by a NaN with a defined bit pattern).
"""

from __future__ import annotations

import struct
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import msgspec

from fncast.wording.json import describe
from interceptor.outcome import Headers
from interceptor.readings.contract import (
    MAX_LABELS,
    MAX_READINGS,
    MAX_SHARED,
    Decoded,
    MetricKind,
    Series,
    Skip,
    UndecodableRecord,
)
from interceptor.readings.naming import NameTemplate, labels_text
from interceptor.readings.numbers import number, number_in_text
from interceptor.readings.times import time_ns

if TYPE_CHECKING:
    from interceptor.readings.remote_write_pb2 import TimeSeries

DEFAULT_NAME = "{name} {labels}"
MAX_BODY_BYTES = 16 * 1024 * 1024  # of a decompressed body
MAX_SERIES_BYTES = 1024 * 1024  # of a series with its samples
_STALE_BITS = 0x7FF0000000000002
# Names of counters, by the conventions of Prometheus and OpenMetrics: the protocol itself does not carry the type.
_COUNTERS = ("_total", "_count", "_sum", "_bucket")


class _Sample(msgspec.Struct):
    """A sample of prometheus-kafka-adapter. labels: not parsed, because they are the key of the series."""

    labels: msgspec.Raw = msgspec.Raw(b"{}")
    timestamp: Any = None
    value: Any = None
    name: str = ""


_sample = msgspec.json.Decoder(_Sample)
_samples = msgspec.json.Decoder(list[msgspec.Raw])
_labels = msgspec.json.Decoder(dict[str, Any])


class _Prometheus:
    """Common to both formats: name and kind of a series are derived from its labels."""

    def __init__(self, series: str = DEFAULT_NAME) -> None:
        self._template = NameTemplate(series, ("name", "labels"))

    def _series(self, labels: dict[str, str], name: str = "") -> Series | None:
        name = labels.get("__name__", name)
        others = {label: text for label, text in labels.items() if label != "__name__"}
        full = self._template.name({"name": name, "labels": labels_text(others)}, labels)
        if full is None:
            return None
        kind = MetricKind.CUMULATIVE if name.endswith(_COUNTERS) else MetricKind.GAUGE
        return Series(full, labels, "", kind)


class PrometheusJson(_Prometheus):
    """One sample or a list of samples per record. `value` is a string and may be NaN or +Inf."""

    def decode(self, value: bytes, key: bytes | None, headers: Headers, timestamp_ms: int) -> Decoded:
        decoded = Decoded()
        try:
            if value.lstrip()[:1] == b"[":
                raws = _samples.decode(value)
                if len(raws) > MAX_READINGS:
                    raise UndecodableRecord(f"the record holds more than {MAX_READINGS} samples")
                for raw in raws:
                    self._add_raw(decoded, raw)
            else:
                self._add(decoded, _sample.decode(value))
        except UndecodableRecord:
            raise
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise UndecodableRecord(
                f"not a sample in the JSON of prometheus-kafka-adapter: {describe(error)}"
            ) from None
        return decoded

    def _add_raw(self, decoded: Decoded, raw: msgspec.Raw) -> None:
        try:
            self._add(decoded, _sample.decode(raw))
        except (msgspec.MsgspecError, UndecodableRecord, ValueError, RecursionError):
            decoded.skip(Skip.UNSUPPORTED)

    def _add(self, decoded: Decoded, sample: _Sample) -> None:
        if sample.value is None or sample.timestamp is None:
            raise UndecodableRecord(
                "not a sample in the JSON of prometheus-kafka-adapter: it needs `value` and `timestamp`"
            )
        at_ns = time_ns(sample.timestamp)
        found = number_in_text(sample.value)
        if at_ns is None:
            decoded.skip(Skip.NO_TIME)
        elif isinstance(found, Skip):
            decoded.skip(found)
        else:
            decoded.add((sample.name, bytes(sample.labels)), at_ns, found)

    def series(self, key: Any) -> Series | None:
        name, raw = key
        try:
            labels = _labels.decode(raw)
        except (msgspec.MsgspecError, ValueError):
            return None
        return self._series({label: str(text) for label, text in labels.items()}, name)


class PrometheusRemoteWrite(_Prometheus):
    """One compressed `WriteRequest` per record. Native histograms have no single value and are skipped."""

    def decode(self, value: bytes, key: bytes | None, headers: Headers, timestamp_ms: int) -> Decoded:
        from google.protobuf.message import DecodeError

        from interceptor.readings.remote_write_pb2 import TimeSeries, WriteRequest

        body = _decompressed(value)
        try:
            request = WriteRequest.FromString(body)
        except DecodeError:
            raise UndecodableRecord("not a remote-write request: its protobuf cannot be read") from None
        if request.symbols_of_version_2:
            raise UndecodableRecord(
                "a request of Remote-Write 2.0. Let the producer send version 1.0: prometheus.WriteRequest"
            )
        if body and not request.timeseries and not request.metadata:
            raise UndecodableRecord("not a remote-write request: it has no time series")
        if len(request.timeseries) > MAX_READINGS:
            raise UndecodableRecord(f"the record holds more than {MAX_READINGS} series")
        decoded = Decoded()
        for raw in request.timeseries:
            try:
                series = TimeSeries.FromString(raw) if len(raw) <= MAX_SERIES_BYTES else None
            except DecodeError:
                series = None
            if series is None:
                decoded.skip(Skip.UNSUPPORTED)
                continue
            if series.histograms:
                decoded.skip(Skip.UNSUPPORTED, len(series.histograms))
            labels = _labels_of(series)
            if labels is None:
                decoded.skip(Skip.NO_SERIES, len(series.samples) or 1)
                continue
            for sample in series.samples:
                self._add(decoded, labels, sample.timestamp, sample.value)
        return decoded

    def _add(self, decoded: Decoded, labels: Hashable, timestamp_ms: int, value: float) -> None:
        if len(decoded.keys) >= MAX_READINGS:
            raise UndecodableRecord(f"the record holds more than {MAX_READINGS} samples")
        at_ns = time_ns(timestamp_ms, "ms")
        found = number(value)
        if isinstance(found, Skip):
            is_stale = struct.unpack("<Q", struct.pack("<d", value))[0] == _STALE_BITS
            decoded.skip(Skip.STALE if is_stale else found)
        elif at_ns is None:
            decoded.skip(Skip.NO_TIME)
        else:
            decoded.add(labels, at_ns, found)

    def series(self, key: Any) -> Series | None:
        return self._series(dict(key))


def _labels_of(series: TimeSeries) -> tuple[tuple[str, str], ...] | None:
    """Return names and values of the labels. None if they are too many or too large."""
    if len(series.labels) > MAX_LABELS:
        return None
    labels = tuple([(label.name, label.value) for label in series.labels])
    return labels if sum([len(name) + len(text) for name, text in labels]) <= MAX_SHARED else None


def _decompressed(value: bytes) -> bytes:
    """Return the decompressed body. Raises UndecodableRecord, also if it exceeds MAX_BODY_BYTES."""
    import cramjam

    try:
        size = cramjam.snappy.decompress_raw_len(value)
        if size > MAX_BODY_BYTES:
            raise UndecodableRecord(
                f"the remote-write request has {size} bytes uncompressed, more than {MAX_BODY_BYTES}"
            )
        return bytes(cramjam.snappy.decompress_raw(value))
    except cramjam.DecompressionError:
        raise UndecodableRecord(
            "not a remote-write request: it is not compressed with snappy's block format"
        ) from None
