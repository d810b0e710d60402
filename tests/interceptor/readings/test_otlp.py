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

from interceptor.readings.contract import MetricKind, UndecodableRecord
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
    assert kinds["orders region=north service.name=shop"].kind is MetricKind.CUMULATIVE
    assert kinds["queue service.name=shop"].kind is MetricKind.GAUGE
    assert kinds["duration.sum service.name=shop"].kind is MetricKind.CUMULATIVE
    assert kinds["temperature room=a service.name=shop"].unit == "Cel"


@pytest.mark.parametrize("value", [b"\xff\xff\xff", b"\x20\x01", b"\xa2\x06\x03abc"])
def test_invalid_protobuf_is_rejected_with_a_reason(value):
    with pytest.raises(UndecodableRecord, match="not OTLP metrics"):
        OtlpProtobuf().decode(value, None, [], 0)


def test_a_point_of_protobuf_without_a_value_is_skipped(readings):
    data = MetricsData()
    metric = data.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    metric.gauge.data_points.add(time_unix_nano=1)
    assert readings(OtlpProtobuf(), data.SerializeToString()) == ({}, {"not-a-number": 1})
