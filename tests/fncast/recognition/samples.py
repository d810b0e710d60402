"""Samples of records in each format, with the bytes that the formats' own tests use."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.metrics import Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource

from interceptor.delivery import Record

AT_S = 1_700_000_000
FIXTURES = Path(__file__).parents[2] / "interceptor" / "readings" / "fixtures"


def record(
    value: Any, offset: int = 0, *, partition: int = 0, key: bytes | None = None, headers: Any = ()
) -> Record:
    """A record. value: bytes, text, or anything that JSON can hold."""
    if isinstance(value, bytes | None):
        raw = value
    else:
        raw = value.encode() if isinstance(value, str) else json.dumps(value).encode()
    return Record("readings", partition, offset, (AT_S + 10 * offset) * 1000, key, raw, list(headers))


def records(make: Callable[[int], Any], count: int = 20) -> list[Record]:
    return [record(make(number), number) for number in range(count)]


def telegraf_json(number: int) -> dict[str, Any]:
    tags = {"host": "web-1", "cpu": "cpu0"}
    fields = {"usage_idle": 91.5 + number, "n_cpus": 4, "version": "6.1"}
    return {"fields": fields, "name": "cpu", "tags": tags, "timestamp": AT_S + 10 * number}


def telegraf_batch(number: int) -> dict[str, Any]:
    return {"metrics": [telegraf_json(2 * number), telegraf_json(2 * number + 1)]}


def influx_line(number: int) -> str:
    return f"cpu,host=web-1 usage_idle={90 + number},n=4i {AT_S + 10 * number}000000000"


def prometheus_json(number: int) -> dict[str, Any]:
    labels = {"__name__": "up", "instance": "a:9100", "job": "node"}
    at = f"2023-11-14T22:{15 + number // 6:02d}:{number % 6}0Z"
    return {"timestamp": at, "value": str(number), "name": "up", "labels": labels}


def remote_write(number: int) -> bytes:
    files = sorted(FIXTURES.glob("prometheus-2.42-remote-write*.bin"))
    return files[number % len(files)].read_bytes()


def otlp_message(number: int) -> Any:
    reader = InMemoryMetricReader()
    meter = MeterProvider([reader], resource=Resource({"service.name": "shop"})).get_meter("lib")
    meter.create_counter("orders", unit="1").add(3 + number, {"region": "north"})
    meter.create_observable_gauge("temperature", [lambda _: [Observation(21.5, {"room": "a"})]], unit="Cel")
    return encode_metrics(reader.get_metrics_data())


def otlp_protobuf(number: int) -> bytes:
    return bytes(otlp_message(number).SerializeToString())


def otlp_json(number: int) -> dict[str, Any]:
    return dict(MessageToDict(otlp_message(number)))


def gateway(number: int) -> dict[str, Any]:
    """Flat JSON of an IoT gateway."""
    device = ("press-04", "press-05")[number % 2]
    value = {"device": device, "line": "assembly-2", "temp": 76.2 + number, "vibration": 0.41}
    return value | {"ts": AT_S + 10 * number, "status": ("ok", "warn")[number // 7 % 2]}


def _event(number: int, kind: str, data: Any, **more: str) -> Record:
    attributes = {
        "specversion": "1.0",
        "type": kind,
        "source": "/plant",
        "id": f"e{number}",
        "subject": "oven-1",
    }
    at = f"2023-11-14T22:{15 + number // 6:02d}:{number % 6}0Z"
    headers = [(f"ce_{name}", text.encode()) for name, text in (attributes | {"time": at} | more).items()]
    headers.append(("content-type", b"application/json"))
    return record(data, number, headers=headers)


def reading_event(number: int) -> Record:
    return _event(number, "io.fncast.reading.v1", {"value": 20.5 + number, "unit": "Cel"})


def window_event(number: int) -> Record:
    data = {"start": "2023-11-14T00:00:00Z", "step_s": 300, "values": [1.0, None, 3.5 + number], "unit": "W"}
    return _event(number, "io.fncast.window.v1", data, destination="forecast")


SAMPLES: dict[str, tuple[str, list[Record]]] = {
    "one metric of Telegraf": ("telegraf-json", records(telegraf_json)),
    "batches of Telegraf": ("telegraf-json", records(telegraf_batch)),
    "line protocol": ("influx-line", records(influx_line)),
    "prometheus-kafka-adapter": ("prometheus-json", records(prometheus_json)),
    "remote write": ("prometheus-remote-write", records(remote_write, 4)),
    "OTLP in protobuf": ("otlp-protobuf", records(otlp_protobuf, 4)),
    "OTLP in JSON": ("otlp-json", records(otlp_json, 4)),
    "reading events": ("cloudevents", [reading_event(number) for number in range(20)]),
    "window events": ("cloudevents", [window_event(number) for number in range(20)]),
    "flat JSON": ("json", records(gateway)),
}
