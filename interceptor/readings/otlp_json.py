"""The JSON form of OTLP metrics, parsed into objects with the attribute names of protobuf's classes.

Source: the OpenTelemetry Protocol, "JSON Protobuf Encoding".
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

import msgspec

from fncast.wording.json import describe
from interceptor.readings import lenient_json
from interceptor.readings.numbers import number_in_text

_KINDS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
_TEMPORALITIES = {"AGGREGATION_TEMPORALITY_DELTA": 1, "AGGREGATION_TEMPORALITY_CUMULATIVE": 2}


class _Message(msgspec.Struct, rename="camel"):
    """A message. Unknown members are ignored, as the protocol requires."""


class _AnyValue(_Message):
    """The value of an attribute. Lists and maps are left out."""

    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None


class _KeyValue(_Message):
    """An attribute of a resource or of a point."""

    key: str = ""
    value: _AnyValue = msgspec.field(default_factory=_AnyValue)


class _Point(_Message):
    """A data point of any kind of metric. 64-bit integers and special numbers may be strings."""

    attributes: list[_KeyValue] = []
    time_unix_nano: Any = None
    as_double: Any = None
    as_int: Any = None
    count: Any = 0
    sum: Any = None
    flags: int = 0

    def __post_init__(self) -> None:
        self.time_unix_nano = _integer(self.time_unix_nano)
        self.as_int = _integer(self.as_int)
        self.count = _integer(self.count)
        if isinstance(self.as_double, str):
            self.as_double = _double(self.as_double)
        if isinstance(self.sum, str):
            self.sum = _double(self.sum)


class _MetricPoints(_Message):
    """The data of a metric of any kind."""

    data_points: list[_Point] = []
    aggregation_temporality: int | str = 0
    is_monotonic: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.aggregation_temporality, str):
            self.aggregation_temporality = _TEMPORALITIES.get(self.aggregation_temporality, 0)


class _Metric(_Message):
    """A metric. Exactly one of its five kinds is set."""

    name: str = ""
    unit: str = ""
    gauge: _MetricPoints | None = None
    sum: _MetricPoints | None = None
    histogram: _MetricPoints | None = None
    exponential_histogram: _MetricPoints | None = None
    summary: _MetricPoints | None = None


class _ScopeMetrics(_Message):
    """The metrics of one instrumentation library."""

    metrics: list[_Metric] = []


class _Resource(_Message):
    """The source of metrics, such as a service or a host."""

    attributes: list[_KeyValue] = []


class _ResourceMetrics(_Message):
    """The metrics of one resource."""

    resource: _Resource = msgspec.field(default_factory=_Resource)
    scope_metrics: list[_ScopeMetrics] = []


class _MetricsData(_Message):
    """The whole request."""

    resource_metrics: list[_ResourceMetrics]


_decoder = msgspec.json.Decoder(_MetricsData)


def decode(value: bytes) -> tuple[_MetricsData, int]:
    """Parse a request. Returns also how many points and metrics were left out, because they are not valid.

    Raises ValueError if it is not valid OTLP JSON.
    """
    try:
        return _decoder.decode(value), 0
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        try:
            return _without_faults(lenient_json.parse(value))
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise ValueError(describe(error)) from None


def _without_faults(document: Any) -> tuple[_MetricsData, int]:
    """Convert a document as protobuf's JSON mapping allows: null is the default, a number may be a string."""
    document, count = _without_nulls(document), 0
    of_resources = _list(document, "resourceMetrics")
    for of_scope in chain.from_iterable(_list(of_resource, "scopeMetrics") for of_resource in of_resources):
        for metric in _list(of_scope, "metrics"):
            for data in metric.values() if isinstance(metric, dict) else ():
                count += _keep_valid(data, "dataPoints", _Point)
        count += _keep_valid(of_scope, "metrics", _Metric)
    return msgspec.convert(document, _MetricsData, strict=False), count


def _keep_valid(parent: Any, name: str, message: type[_Message]) -> int:
    """Remove the members of a list that are not such a message. Returns their number."""
    found = _list(parent, name)
    valid = [each for each in found if _is_valid(each, message)]
    if len(valid) < len(found):
        parent[name] = valid
    return len(found) - len(valid)


def _is_valid(raw: Any, message: type[_Message]) -> bool:
    try:
        msgspec.convert(raw, message, strict=False)
    except msgspec.ValidationError:
        return False
    return True


def _list(parent: Any, name: str) -> list[Any]:
    found = parent.get(name) if isinstance(parent, dict) else None
    return found if isinstance(found, list) else []


def _without_nulls(raw: Any) -> Any:
    if isinstance(raw, dict):
        return {name: _without_nulls(member) for name, member in raw.items() if member is not None}
    return [_without_nulls(each) for each in raw] if isinstance(raw, list) else raw


def kind_of(metric: _Metric) -> str | None:
    """Return the name of the member with the metric's data."""
    return next((kind for kind in _KINDS if getattr(metric, kind) is not None), None)


def value_of(point: _Point) -> object:
    """Return the point's number, or None if it has none."""
    return point.as_double if point.as_int is None else point.as_int


def has_sum(point: _Point) -> bool:
    """Whether the point of a distribution has the sum of its values."""
    return point.sum is not None


def attributes_of(attributes: Iterable[_KeyValue]) -> tuple[tuple[str, str], ...]:
    """Return names and texts sorted by name. Lists and maps are skipped."""
    found = []
    for attribute in attributes:
        value = attribute.value
        if value.string_value is not None:
            found.append((attribute.key, value.string_value))
        elif value.bool_value is not None:
            found.append((attribute.key, "true" if value.bool_value else "false"))
        elif value.int_value is not None:
            found.append((attribute.key, str(value.int_value)))
        elif value.double_value is not None:
            found.append((attribute.key, str(value.double_value)))
    return tuple(sorted(found))


def _integer(raw: object) -> object:
    """Convert a 64-bit integer, which is a string in this JSON."""
    if isinstance(raw, str) and len(raw) <= 20 and raw.isascii() and raw.removeprefix("-").isdecimal():
        return int(raw)
    return raw


def _double(raw: str) -> object:
    found = number_in_text({"Infinity": "inf", "-Infinity": "-inf"}.get(raw, raw))
    return found if isinstance(found, float) else float("nan")
