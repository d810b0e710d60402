"""Formats by name, and properties of every format for any bytes."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interceptor.readings.contract import MAX_LABELS, MAX_SHARED, Skip, UndecodableRecord
from interceptor.readings.formats import BUILT_IN, build_format
from interceptor.readings.times import MAX_TIME_NS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "fields", "tags", "timestamp", "metrics", "value", "labels", "readings"])
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def check(name: str, value: bytes) -> None:
    """Check that readings are finite, with a time in range and a series that has a name or is None."""
    format_ = build_format(name, {})
    try:
        decoded = format_.decode(value, None, [], 0)
    except UndecodableRecord:
        return
    assert len(decoded.keys) == len(decoded.times_ns) == len(decoded.values)
    assert all(math.isfinite(number) for number in decoded.values)
    assert all(0 <= at_ns <= MAX_TIME_NS for at_ns in decoded.times_ns)
    for key in decoded.keys:
        series = format_.series(key)
        assert series is None or series.name


@pytest.mark.parametrize("name", BUILT_IN)
@given(value=st.binary(max_size=200) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace")))
def test_no_bytes_cause_another_error(name, value):
    check(name, value)


@pytest.mark.parametrize("name", [name for name in BUILT_IN if "json" in name])
@given(value=JSON)
def test_no_json_causes_another_error(name, value):
    check(name, json.dumps(value).encode())


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        (
            "telegraf-json",
            b"{",
            "JSON format: it ends too early, or it holds half of a character, such as \\ud800",
        ),
        ("telegraf-json", b"[]", "it is an array, not an object"),
        ("json", b"cpu", "not JSON: invalid character at byte 1"),
        ("otlp-json", b"{}", "not OTLP metrics in JSON: its member 'resourceMetrics' is missing"),
        (
            "otlp-json",
            b'{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"\xff"}]}]}]}',
            "not OTLP metrics in JSON: byte 1 is not UTF-8",
        ),
        ("prometheus-json", b'{"name":5}', "it is a number, not a string - at `$.name`"),
        ("influx-line", b"m \xff=1", "not line protocol: byte 3 is not UTF-8"),
    ],
)
def test_reasons_are_plain_sentences(name, value, reason):
    with pytest.raises(UndecodableRecord) as raised:
        build_format(name, {}).decode(value, None, [], 0)
    assert str(raised.value).endswith(reason)


@given(value=st.text('m, =v1\\"#tfiu.-\n', max_size=60))
def test_no_lines_cause_another_error(value):
    check("influx-line", value.encode())


class Own:
    """A format of a user."""

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor

    def decode(self, value, key, headers, timestamp_ms): ...

    def series(self, key): ...


def test_a_users_format_is_loaded(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "plant_formats", sys.modules[__name__])
    assert build_format("plant_formats:Own", {"factor": 2.0}).format.factor == 2.0


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("telegraf", {}, "unknown. Use one of cloudevents, telegraf-json"),
        ("no_such_module:Own", {}, "cannot be loaded"),
        (".formats:Own", {}, "format = .* cannot be loaded"),
        ("json:Nothing", {}, "cannot be loaded"),
        ("json", {"values": ["a"], "when": "ts"}, "'when'"),
        ("collections:OrderedDict", {}, "needs the methods decode and series"),
    ],
)
def test_a_wrong_name_or_option_is_rejected_with_a_reason(name, options, message):
    with pytest.raises(ValueError, match=message):
        build_format(name, options)


def otlp_json(shared: str) -> str:
    points = [
        {"asDouble": 1.0, "timeUnixNano": "1700000000000000000", "attributes": attributes}
        for attributes in ([], [{"key": "a", "value": {"stringValue": "b"}}])
    ]
    resource = {"attributes": [{"key": "host", "value": {"stringValue": shared}}]}
    metric = {"name": "m", "gauge": {"dataPoints": points}}
    return json.dumps({"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]})


@pytest.mark.parametrize(
    ("name", "options", "record"),
    [
        (
            "telegraf-json",
            {"series": "{field}"},
            lambda shared: json.dumps(
                {
                    "name": "m",
                    "tags": {"host": shared},
                    "timestamp": 1_700_000_000,
                    "fields": {"a": 1, "b": 2},
                }
            ),
        ),
        ("influx-line", {"series": "{field}"}, lambda shared: f"m,host={shared} a=1,b=2 1700000000000000000"),
        ("otlp-json", {"series": "{name}"}, otlp_json),
        (
            "json",
            {"series": "{field}", "labels": ["host"]},
            lambda shared: json.dumps({"host": shared, "a": 1, "b": 2}),
        ),
    ],
)
def test_labels_that_many_readings_share_are_bounded(name, options, record):
    format_ = build_format(name, options)
    assert len(format_.decode(record("web-1").encode(), None, [], 0).keys) == 2
    decoded = format_.decode(record("x" * (MAX_SHARED + 1)).encode(), None, [], 0)
    assert decoded.keys == []
    assert decoded.skipped.keys() == {Skip.NO_SERIES}


@pytest.mark.parametrize(
    ("name", "record"),
    [
        (
            "telegraf-json",
            lambda count: json.dumps(
                {"name": "m", "tags": {f"t{n}": "" for n in range(count)}, "fields": {"a": 1}, "timestamp": 1}
            ),
        ),
        ("influx-line", lambda count: "m" + "".join(f",t{n}=" for n in range(count)) + " a=1 1"),
    ],
)
def test_a_series_with_too_many_labels_has_no_name(name, record):
    format_ = build_format(name, {"series": "{field}"})
    for count, expected in ((MAX_LABELS, "a"), (MAX_LABELS + 1, None)):
        (key,) = format_.decode(record(count).encode(), None, [], 0).keys
        series = format_.series(key)
        assert (series and series.name) == expected
