"""Random and mutated records of single readings, through each format and the assembler, in turn."""

from __future__ import annotations

import itertools
import json
import math
import random
import time
from pathlib import Path
from typing import Any

import cramjam
from fuzz_bytes import mutated
from fuzz_json import mutated_document
from fuzz_report import Report, Until
from google.protobuf.json_format import ParseDict, ParseError
from opentelemetry.proto.metrics.v1.metrics_pb2 import MetricsData

from fncast.series.step import Step
from interceptor.assembly.partition_windows import PartitionWindows
from interceptor.assembly.rules import Rules
from interceptor.assembly.window import window_event
from interceptor.readings.contract import MAX_NAME_CHARACTERS, Format, UndecodableRecord
from interceptor.readings.formats import BUILT_IN, build_format
from interceptor.readings.times import MAX_TIME_NS

SLOW_S = 2.0  # of CPU, for one record
RECORDS = 200  # of a format, then its windows begin again
RULES = (
    Rules(window=4, minimum=2, max_series=5000),
    Rules(window=4, minimum=2, max_series=5000, step=Step.seconds(10), aggregate="mean", grace_ns=0),
    Rules(window=4, minimum=2, max_series=5000, step=Step.of_months(1), every=2),
)
START_S = 1_767_225_600  # 2026-01-01T00:00:00Z
HEADERS = [
    ("ce_specversion", b"1.0"),
    ("ce_type", b"io.fncast.reading.v1"),
    ("ce_source", b"/s"),
    ("ce_id", b"1"),
    ("ce_subject", b"s"),
    ("ce_time", b"2026-01-01T00:00:00Z"),
    ("content-type", b"application/json"),
]
FIXTURES = Path(__file__).parents[1] / "interceptor" / "readings" / "fixtures"

_metric = {
    "name": "cpu",
    "tags": {"host": "a"},
    "fields": {"idle": 98.5, "n": 3, "up": True, "s": "x"},
    "timestamp": START_S,
}
_point = {
    "asDouble": 1.5,
    "timeUnixNano": str(START_S * 10**9),
    "attributes": [{"key": "a", "value": {"intValue": "7"}}],
}
_sum = {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [{"asInt": "9", "timeUnixNano": "1"}]}
_histogram = {
    "aggregationTemporality": 1,
    "dataPoints": [
        {"timeUnixNano": str(START_S * 10**9), "count": "4", "sum": 2.5, "bucketCounts": ["1", "3"]}
    ],
}
_metrics = [
    {"name": "m", "unit": "1", "gauge": {"dataPoints": [_point]}},
    {"name": "c", "sum": _sum},
    {"name": "h", "histogram": _histogram},
]
_resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}
_otlp = {"resourceMetrics": [{"resource": _resource, "scopeMetrics": [{"metrics": _metrics}]}]}
DOCUMENTS: dict[str, list[Any]] = {
    "cloudevents": [
        {"value": 21.5, "unit": "°C"},
        {"readings": [{"series": "a", "time": "2026-01-01T00:00:00Z", "value": 1}]},
    ],
    "telegraf-json": [_metric, {"metrics": [_metric, _metric]}],
    "prometheus-json": [
        {
            "timestamp": "2026-01-01T00:00:00Z",
            "value": "9876543210",
            "name": "up",
            "labels": {"__name__": "up", "instance": "a:9100"},
        }
    ],
    "otlp-json": [_otlp],
    "json": [{"device": "press-04", "temp": 76.2, "vibration": 0.41, "ts": START_S}],
}
LINES = (
    b"cpu,host=web-1 usage_idle=98.2,n=3i,up=t 1767225600000000000",
    b'w\\,x,a\\ b=c\\=d f=1u,s="a \\" b",g=-1e3\n# comment\nm v=1 17\n',
)


def run(randomly: random.Random, until: Until) -> Report:
    """Check records of all formats, in bounded CPU time.

    A record gives finite readings with a time in range and a bounded name, or one reason. The windows of readings are
    valid events.
    """
    report = Report()
    protobuf = [_protobuf(_otlp)]
    compressed = [file.read_bytes() for file in sorted(FIXTURES.glob("*remote-write*.bin"))]
    requests = [bytes(cramjam.snappy.decompress_raw(body)) for body in compressed]
    seeds = {name: [json.dumps(each).encode() for each in found] for name, found in DOCUMENTS.items()}
    seeds |= {"otlp-protobuf": protobuf, "influx-line": list(LINES), "prometheus-remote-write": compressed}
    formats = {name: build_format(name, {}) for name in BUILT_IN}
    windows: dict[str, PartitionWindows] = {}
    for number, name in enumerate(itertools.cycle(BUILT_IN)):
        if until(report.count):
            return report
        offset = number // len(BUILT_IN)
        if offset % RECORDS == 0:
            windows[name] = PartitionWindows(formats[name], randomly.choice(RULES), "t")
        if name in DOCUMENTS and randomly.random() < 0.5:
            value = json.dumps(mutated_document(randomly, randomly.choice(DOCUMENTS[name]))).encode()
        elif name == "otlp-protobuf" and randomly.random() < 0.5:
            value = _protobuf(mutated_document(randomly, _otlp)) or protobuf[0]
        elif name == "prometheus-remote-write" and randomly.random() < 0.7:
            value = bytes(cramjam.snappy.compress_raw(mutated(randomly, requests)))
        else:
            value = mutated(randomly, seeds[name])
        started_s = time.process_time()
        try:
            outcome = _read(formats[name], windows[name], value, randomly.choice((0, START_S * 1000)), offset)
        except Exception as error:
            report.crashed(error, (name, value))
            continue
        seconds = time.process_time() - started_s
        if seconds > SLOW_S:
            report.fail(f"took {seconds:.1f} s of CPU", (name, value))
        else:
            report.passed(f"{name} {outcome}")
    return report


def _protobuf(document: Any) -> bytes:
    """Return a JSON document of OTLP as protobuf; empty if it is not a valid message."""
    try:
        return ParseDict(document, MetricsData(), ignore_unknown_fields=True).SerializeToString()
    except (ParseError, ArithmeticError, AttributeError, TypeError, ValueError):
        return b""


def _read(format_: Format, windows: PartitionWindows, value: bytes, timestamp_ms: int, offset: int) -> str:
    try:
        decoded = format_.decode(value, b"k", HEADERS, timestamp_ms)
    except UndecodableRecord:
        return "rejected"
    assert len(decoded.keys) == len(decoded.times_ns) == len(decoded.values)
    assert all(math.isfinite(number) for number in decoded.values)
    assert all(0 <= at_ns <= MAX_TIME_NS for at_ns in decoded.times_ns)
    for key in decoded.keys:
        series = format_.series(key)
        assert series is None or 0 < len(series.name) <= MAX_NAME_CHARACTERS
    for window in windows.add(decoded, timestamp_ms, offset):
        assert json.loads(window_event(window, "kafka:t").to_json())["data"]["values"]
    return "read" if decoded.keys else "without readings"
