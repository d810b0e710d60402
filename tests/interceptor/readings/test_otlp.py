"""OTLP in protobuf and JSON, written by the encoder of the OpenTelemetry SDK."""

from __future__ import annotations

import json

import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.metrics import Observation
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource

from interceptor.readings.contract import MAX_LABELS, Kind, UndecodableRecord
from interceptor.readings.otlp import OtlpJson, OtlpProtobuf

RESOURCE = Resource({"service.name": "shop", "telemetry.sdk.name": "x", "ports": [1, 2]})


@pytest.fixture(scope="module")
def request_message():
    reader = InMemoryMetricReader()
    meter = MeterProvider([reader], resource=RESOURCE).get_meter("lib")
    counter = meter.create_counter("orders", unit="1")
    counter.add(3, {"region": "north"})
    counter.add(4, {"region": "north"})
    meter.create_up_down_counter("queue").add(-2)
    meter.create_observable_gauge("temperature", [lambda _: [Observation(21.5, {"room": "a"})]], unit="Cel")
    meter.create_histogram("duration", unit="s").record(0.5)
    return encode_metrics(reader.get_metrics_data())


EXPECTED = {
    "orders region=north service.name=shop": 7.0,
    "queue service.name=shop": -2.0,
    "temperature room=a service.name=shop": 21.5,
    "duration.count service.name=shop": 1.0,
    "duration.sum service.name=shop": 0.5,
}


@pytest.mark.parametrize("form", ["protobuf", "json"])
def test_requests_of_the_sdk_are_decoded(readings, request_message, form):
    if form == "protobuf":
        format_, value = OtlpProtobuf(), request_message.SerializeToString()
    else:
        format_, value = OtlpJson(), json.dumps(MessageToDict(request_message)).encode()
    found, skipped = readings(format_, value)
    assert {name: rows[0][1] for name, rows in found.items()} == EXPECTED
    assert skipped == {}
    kinds = {format_.series(key).name: format_.series(key) for key in format_.decode(value, None, [], 0).keys}
    assert kinds["orders region=north service.name=shop"].kind is Kind.CUMULATIVE
    assert kinds["queue service.name=shop"].kind is Kind.GAUGE
    assert kinds["duration.sum service.name=shop"].kind is Kind.CUMULATIVE
    assert kinds["temperature room=a service.name=shop"].unit == "Cel"


def point_json(**point: object) -> bytes:
    metric = {"name": "m", "sum": {"aggregationTemporality": 1, "isMonotonic": True, "dataPoints": [point]}}
    return json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}).encode()


def test_64_bit_integers_in_json_are_strings_or_numbers(readings):
    for raw in ("1700000123000000000", 1_700_000_123_000_000_000):
        found, _ = readings(OtlpJson(), point_json(asInt=str(2**40), timeUnixNano=raw))
        assert found == {"m": [(1_700_000_123_000_000_000, float(2**40))]}


def test_delta_temporality_is_recognised():
    value = point_json(asInt="1", timeUnixNano="1")
    assert OtlpJson().series(OtlpJson().decode(value, None, [], 0).keys[0]).kind is Kind.DELTA


@pytest.mark.parametrize(
    ("point", "reason"),
    [
        ({"asDouble": "NaN", "timeUnixNano": "1"}, "not-a-number"),
        ({"asDouble": "Infinity", "timeUnixNano": "1"}, "not-a-number"),
        ({"timeUnixNano": "1"}, "not-a-number"),
        ({"asDouble": 1.0}, "no-time"),
        ({"asDouble": 1.0, "timeUnixNano": "0"}, "no-time"),
        ({"asDouble": 1.0, "timeUnixNano": "1", "flags": 1}, "stale"),
        ({"asInt": "9" * 400, "timeUnixNano": "1"}, "text"),
    ],
)
def test_a_point_without_value_or_time_is_skipped_and_counted(readings, point, reason):
    assert readings(OtlpJson(), point_json(**point)) == ({}, {reason: 1})


@pytest.mark.parametrize("value", [b"{}", b"[]", b"\xff\xff", b"[" * 100_000, b'{"resourceMetrics": 1}'])
def test_invalid_json_is_rejected_with_a_reason(value):
    with pytest.raises(UndecodableRecord, match="not OTLP metrics"):
        OtlpJson().decode(value, None, [], 0)


@pytest.mark.parametrize("value", [b"\xff\xff\xff", b"\x20\x01", b"\xa2\x06\x03abc"])
def test_invalid_protobuf_is_rejected_with_a_reason(value):
    with pytest.raises(UndecodableRecord, match="not OTLP metrics"):
        OtlpProtobuf().decode(value, None, [], 0)


def test_a_point_of_protobuf_without_a_value_is_skipped(readings):
    data = MetricsData()
    metric = data.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    metric.gauge.data_points.add(time_unix_nano=1)
    assert readings(OtlpProtobuf(), data.SerializeToString()) == ({}, {"not-a-number": 1})


def with_resource(name: str, resource: dict[str, str], attributes: dict[str, str]) -> bytes:
    def pairs(labels: dict[str, str]) -> list[object]:
        return [{"key": label, "value": {"stringValue": text}} for label, text in labels.items()]

    point = {"asInt": "1", "timeUnixNano": "1", "attributes": pairs(attributes)}
    metric = {"name": name, "gauge": {"dataPoints": [point]}}
    resource_metrics = {"resource": {"attributes": pairs(resource)}, "scopeMetrics": [{"metrics": [metric]}]}
    return json.dumps({"resourceMetrics": [resource_metrics]}).encode()


def test_attributes_of_points_always_distinguish_series(readings):
    value = with_resource("m", {"process.pid": "7"}, {"process.cpu.state": "user"})
    assert list(readings(OtlpJson(), value)[0]) == ["m process.cpu.state=user"]


def test_metrics_about_processes_are_named_by_process(readings):
    resource = {"process.pid": "7", "process.executable.name": "sh", "process.command_line": "sh -c x"}
    value = with_resource("process.memory.usage", resource, {})
    assert list(readings(OtlpJson(), value)[0]) == [
        "process.memory.usage process.executable.name=sh process.pid=7"
    ]


def test_a_resource_with_too_many_attributes_is_skipped(readings):
    value = with_resource("m", {f"a{number}": "" for number in range(MAX_LABELS + 1)}, {})
    assert readings(OtlpJson(), value) == ({}, {"no-series": 1})


@pytest.mark.parametrize(
    ("wrong", "skipped"),
    [
        ({"attributes": 5}, {"unsupported": 1}),
        ({"asDouble": float("inf"), "timeUnixNano": "1"}, {"not-a-number": 1}),  # not valid JSON
        ({"asInt": "1", "timeUnixNano": "1", "flags": "1"}, {"stale": 1}),
        (7, {"unsupported": 1}),
    ],
)
def test_a_wrong_point_in_json_leaves_the_others(readings, wrong, skipped):
    points = [wrong, {"asInt": "2", "timeUnixNano": "5", "flags": None}]
    metrics = [{"name": "m", "unit": None, "gauge": {"dataPoints": points}}]
    value = json.dumps({"resourceMetrics": [{"resource": None, "scopeMetrics": [{"metrics": metrics}]}]})
    assert readings(OtlpJson(), value) == ({"m": [(5, 2.0)]}, skipped)


def test_a_wrong_metric_in_json_leaves_the_others(readings):
    gauge = {"dataPoints": [{"asInt": "2", "timeUnixNano": "5"}]}
    metrics = [{"name": 5, "gauge": gauge}, {"name": "m", "gauge": gauge}]
    value = json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]})
    assert readings(OtlpJson(), value) == ({"m": [(5, 2.0)]}, {"unsupported": 1})


def test_a_sum_of_a_summary_that_json_leaves_out_is_0(readings):
    metrics = [{"name": "m", "summary": {"dataPoints": [{"timeUnixNano": "5", "count": "3"}]}}]
    value = json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]})
    assert readings(OtlpJson(), value) == ({"m.count": [(5, 3.0)], "m.sum": [(5, 0.0)]}, {})
