"""OpenTelemetry metrics as the Collector's Kafka exporter sends them: `otlp_proto` and `otlp_json`.

Source: the OpenTelemetry Protocol, `opentelemetry/proto/metrics/v1/metrics.proto` and its JSON mapping, in which 64-bit
integers are strings or numbers and names are in lowerCamelCase. `otlp_json.py` parses JSON into objects with the same
attributes as protobuf's classes, so that one function reads both.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from itertools import chain
from typing import Any, NamedTuple

from interceptor.outcome import Headers
from interceptor.readings import otlp_json
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
from interceptor.readings.numbers import number
from interceptor.readings.times import time_ns

DEFAULT_NAME = "{name} {labels}"
DELTA, CUMULATIVE = 1, 2  # AggregationTemporality
NO_RECORDED_VALUE = 1  # DataPointFlags
# Such attributes of a resource describe the library and the process. They change at every restart and do not
# distinguish series.
_NOT_IN_NAMES = ("telemetry.", "process.")
_OF_A_PROCESS = ("process.pid", "process.executable.name")  # in names of metrics about processes

Attributes = tuple[tuple[str, str], ...]


class _Otlp:
    """Common to both formats, which differ in how the bytes are parsed."""

    def __init__(self, series: str = DEFAULT_NAME) -> None:
        self._template = NameTemplate(series, ("name", "labels"))

    def series(self, key: Any) -> Series | None:
        name, unit, kind, resource, attributes = key
        attribute_labels = dict(attributes)
        labels = dict(resource) | attribute_labels
        in_name = {
            label: text
            for label, text in labels.items()
            if label in attribute_labels
            or not label.startswith(_NOT_IN_NAMES)
            or (label in _OF_A_PROCESS and name.startswith("process."))
        }
        full = self._template.name({"name": name, "labels": labels_text(in_name)}, labels)
        return None if full is None else Series(full, labels, unit, kind)


class OtlpProtobuf(_Otlp):
    """One `ExportMetricsServiceRequest` per record. On the wire it equals `MetricsData`."""

    def decode(self, value: bytes, key: bytes | None, headers: Headers, timestamp_ms: int) -> Decoded:
        from google.protobuf.message import DecodeError
        from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData

        try:
            data = MetricsData.FromString(value)
        except DecodeError:
            raise UndecodableRecord("not OTLP metrics: the protobuf cannot be read") from None
        if value and not data.resource_metrics:
            raise UndecodableRecord("not OTLP metrics: the protobuf has no resource metrics")
        return _decoded(data.resource_metrics, _PROTOBUF)


class OtlpJson(_Otlp):
    """The same request as JSON."""

    def decode(self, value: bytes, key: bytes | None, headers: Headers, timestamp_ms: int) -> Decoded:
        try:
            data, faults = otlp_json.decode(value)
        except ValueError as error:
            raise UndecodableRecord(f"not OTLP metrics in JSON: {error}") from None
        decoded = _decoded(data.resource_metrics, _JSON)
        if faults:
            decoded.skip(Skip.UNSUPPORTED, faults)
        return decoded


class _Access(NamedTuple):
    """How messages of one form are read: the kind of a metric, attributes, and the value and the sum of a point."""

    kind_of: Callable[[Any], str | None]
    attributes_of: Callable[[Iterable[Any]], Attributes]
    value_of: Callable[[Any], object]
    has_sum: Callable[[Any], bool]


def _decoded(resource_metrics: Iterable[Any], access: _Access) -> Decoded:
    decoded = Decoded()
    for of_resource in resource_metrics:
        resource = access.attributes_of(of_resource.resource.attributes)
        resource_size = sum([len(name) + len(text) for name, text in resource])
        for metric in chain.from_iterable(of_scope.metrics for of_scope in of_resource.scope_metrics):
            kind = access.kind_of(metric)
            shared_size = resource_size + len(metric.name) + len(metric.unit)
            if shared_size > MAX_SHARED or len(resource) > MAX_LABELS:
                decoded.skip(Skip.NO_SERIES)
            elif kind in ("gauge", "sum"):
                _add_numbers(decoded, metric, kind, resource, access)
            elif kind in ("histogram", "exponential_histogram", "summary"):
                _add_counts(decoded, metric, kind, resource, access)
            else:
                decoded.skip(Skip.UNSUPPORTED)
    return decoded


def _add_numbers(decoded: Decoded, metric: Any, kind: str, resource: Attributes, access: _Access) -> None:
    data = getattr(metric, kind)
    is_counter = kind == "sum" and data.is_monotonic
    metric_kind = (
        _metric_kind(data.aggregation_temporality, is_counter) if kind == "sum" else MetricKind.GAUGE
    )
    for point in data.data_points:
        key = (metric.name, metric.unit, metric_kind, resource, access.attributes_of(point.attributes))
        _add(decoded, key, point, access.value_of(point))


def _add_counts(decoded: Decoded, metric: Any, kind: str, resource: Attributes, access: _Access) -> None:
    """Add count and sum of a distribution as two series, named as in Prometheus."""
    data = getattr(metric, kind)
    temporality = CUMULATIVE if kind == "summary" else data.aggregation_temporality
    metric_kind = _metric_kind(temporality, True)
    for point in data.data_points:
        attributes = access.attributes_of(point.attributes)
        _add(decoded, (f"{metric.name}.count", "1", metric_kind, resource, attributes), point, point.count)
        if kind == "summary" or access.has_sum(point):
            key = (f"{metric.name}.sum", metric.unit, metric_kind, resource, attributes)
            _add(decoded, key, point, 0.0 if point.sum is None else point.sum)  # JSON may leave out 0


def _add(decoded: Decoded, key: Hashable, point: Any, raw: object) -> None:
    if len(decoded.keys) >= MAX_READINGS:
        raise UndecodableRecord(f"the record holds more than {MAX_READINGS} readings")
    at_ns = time_ns(point.time_unix_nano, "ns")
    found = number(raw)
    if point.flags & NO_RECORDED_VALUE:
        decoded.skip(Skip.STALE)
    elif not at_ns:  # 0: unknown time
        decoded.skip(Skip.NO_TIME)
    elif isinstance(found, Skip):
        decoded.skip(found)
    else:
        decoded.add(key, at_ns, found)


def _metric_kind(temporality: int, is_counter: bool) -> MetricKind:
    if temporality == DELTA:
        return MetricKind.DELTA
    return MetricKind.CUMULATIVE if is_counter and temporality == CUMULATIVE else MetricKind.GAUGE


def _kind_of_message(metric: Any) -> str | None:
    kind: str | None = metric.WhichOneof("data")
    return kind


def _value_of_message(point: Any) -> object:
    member = point.WhichOneof("value")
    return None if member is None else getattr(point, member)


def _has_sum_of_message(point: Any) -> bool:
    return bool(point.HasField("sum"))


def _attributes_of_message(attributes: Iterable[Any]) -> Attributes:
    """Return names and texts sorted by name. Lists and maps are skipped."""
    found = []
    for attribute in attributes:
        which = attribute.value.WhichOneof("value")
        if which == "string_value":
            found.append((attribute.key, attribute.value.string_value))
        elif which == "bool_value":
            found.append((attribute.key, "true" if attribute.value.bool_value else "false"))
        elif which in ("int_value", "double_value"):
            found.append((attribute.key, str(getattr(attribute.value, which))))
    return tuple(sorted(found))


_PROTOBUF = _Access(_kind_of_message, _attributes_of_message, _value_of_message, _has_sum_of_message)
_JSON = _Access(otlp_json.kind_of, otlp_json.attributes_of, otlp_json.value_of, otlp_json.has_sum)
