"""Prometheus: JSON of prometheus-kafka-adapter, and recorded remote-write bodies of Debian's Prometheus."""

from __future__ import annotations

import itertools
import json
import struct
from pathlib import Path

import cramjam
import pytest

from interceptor.readings.contract import MAX_LABELS, MAX_READINGS, MetricKind, UndecodableRecord
from interceptor.readings.prometheus import PrometheusJson, PrometheusRemoteWrite
from interceptor.readings.remote_write_pb2 import TimeSeries, WriteRequest

FIXTURES = Path(__file__).parent / "fixtures"
SAMPLE = {
    "timestamp": "2023-11-14T22:15:23Z",
    "value": "17.25",
    "name": "up",
    "labels": {"__name__": "up", "instance": "a:9100"},
}
AT_NS = 1_700_000_123 * 10**9


def test_a_record_may_be_one_sample(readings):
    assert readings(PrometheusJson(), json.dumps(SAMPLE)) == ({"up instance=a:9100": [(AT_NS, 17.25)]}, {})


def test_samples_of_a_list_that_are_not_numbers_are_counted(readings):
    values = ["NaN", "+Inf", "x", "3", 4]
    found, skipped = readings(PrometheusJson(), json.dumps([SAMPLE | {"value": value} for value in values]))
    assert found == {"up instance=a:9100": [(AT_NS, 3.0), (AT_NS, 4.0)]}
    assert skipped == {"not-a-number": 2, "text": 1}


@pytest.mark.parametrize("value", [b"", b"{}", b"7", b'{"value": "1"}', b"[" * 100_000, b"\xff"])
def test_invalid_json_is_rejected_with_a_reason(value):
    with pytest.raises(UndecodableRecord, match="prometheus-kafka-adapter"):
        PrometheusJson().decode(value, None, [], 0)


def test_recorded_remote_write_bodies_are_decoded(readings):
    format_ = PrometheusRemoteWrite()
    body = (FIXTURES / "prometheus-2.42-remote-write.bin").read_bytes()
    found, skipped = readings(format_, body)
    up = found["up instance=127.0.0.1:19998 job=self region=north"]
    assert skipped == {}
    assert [value for _, value in up] == [1.0] * len(up)
    assert all(abs(later - earlier - 10**9) < 10**8 for (earlier, _), (later, _) in itertools.pairwise(up))
    kinds = {
        format_.series(key).kind
        for key in format_.decode(body, None, [], 0).keys
        if ("__name__", "up") in key
    }
    assert kinds == {MetricKind.GAUGE}


def test_counters_are_recognised_by_name():
    format_ = PrometheusRemoteWrite()
    assert format_.series((("__name__", "http_requests_total"),)).kind is MetricKind.CUMULATIVE
    assert format_.series((("__name__", "memory_bytes"),)).kind is MetricKind.GAUGE


def series_bytes(*values: float, timestamp: int = 5, name: str = "m", labels: int = 0) -> bytes:
    series = TimeSeries()
    series.labels.add(name="__name__", value=name)
    for number in range(labels):
        series.labels.add(name=f"l{number}", value="")
    for value in values:
        series.samples.add(value=value, timestamp=timestamp)
    return series.SerializeToString()


def request_of(*series: bytes, **members: list[bytes]) -> bytes:
    return bytes(cramjam.snappy.compress_raw(WriteRequest(timeseries=series, **members).SerializeToString()))


def written(*values: float, timestamp: int = 5) -> bytes:
    return request_of(series_bytes(*values, timestamp=timestamp))


def test_a_staleness_marker_is_skipped(readings):
    stale = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
    found, skipped = readings(PrometheusRemoteWrite(), written(1.0, stale, float("nan"), float("inf")))
    assert found == {"m": [(5 * 10**6, 1.0)]}
    assert skipped == {"stale": 1, "not-a-number": 2}


def test_a_time_before_1970_is_skipped_and_counted(readings):
    assert readings(PrometheusRemoteWrite(), written(1.0, timestamp=-1)) == ({}, {"no-time": 1})


def test_a_body_that_decompresses_above_the_limit_is_rejected():
    bomb = bytes(cramjam.snappy.compress_raw(bytes(33 * 1024 * 1024)))
    with pytest.raises(UndecodableRecord, match="more than"):
        PrometheusRemoteWrite().decode(bomb, None, [], 0)


def test_a_request_with_too_many_empty_series_is_rejected():
    bomb = bytes(cramjam.snappy.compress_raw(b"\x0a\x00" * (MAX_READINGS + 1)))
    with pytest.raises(UndecodableRecord, match="more than 100000 series"):
        PrometheusRemoteWrite().decode(bomb, None, [], 0)


def test_a_series_with_too_many_labels_or_wrong_bytes_leaves_the_others(readings):
    many = series_bytes(1.0, 2.0, labels=MAX_LABELS)
    not_unicode = series_bytes(1.0, name="x").replace(b"x", b"\xff")
    body = request_of(many, not_unicode, series_bytes(3.0))
    assert readings(PrometheusRemoteWrite(), body) == (
        {"m": [(5 * 10**6, 3.0)]},
        {"no-series": 2, "unsupported": 1},
    )


def test_only_a_request_without_series_that_has_metadata_is_expected(readings):
    assert readings(PrometheusRemoteWrite(), request_of(metadata=[b"\x08\x01"])) == ({}, {})
    with pytest.raises(UndecodableRecord, match="it has no time series"):
        PrometheusRemoteWrite().decode(bytes(cramjam.snappy.compress_raw(b"\x30\x01")), None, [], 0)


def test_version_2_is_named():
    body = request_of(symbols_of_version_2=[b"", b"__name__", b"up"])
    with pytest.raises(UndecodableRecord, match=r"Remote-Write 2\.0"):
        PrometheusRemoteWrite().decode(body, None, [], 0)


@pytest.mark.parametrize("value", [b"", b"\xff\xff\xff\xff\xff\xff", b"{}", b"\x04\x0cabcd"])
def test_invalid_bytes_are_rejected_with_a_reason(value):
    with pytest.raises(UndecodableRecord, match="remote-write"):
        PrometheusRemoteWrite().decode(value, None, [], 0)
