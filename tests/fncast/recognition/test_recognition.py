"""Each format is recognised as itself, and a topic in no format gets a clear reason."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fncast.recognition.recognition import Unrecognised, recognise
from fncast.recognition.trial import try_format
from interceptor.readings.formats import BUILT_IN
from tests.fncast.recognition.samples import (
    AT_S,
    SAMPLES,
    influx_line,
    prometheus_json,
    record,
    records,
    telegraf_json,
)


@pytest.mark.parametrize("name", SAMPLES)
def test_each_format_is_recognised_as_itself(name):
    format_, sample = SAMPLES[name]
    found = recognise("readings", sample)
    assert found.trial.format == format_
    assert found.trial.share == 1.0
    assert found.trial.readings + found.trial.windows >= len(sample)


def test_the_samples_hold_every_format():
    assert {format_ for format_, _ in SAMPLES.values()} == set(BUILT_IN)


@pytest.mark.parametrize("name", SAMPLES)
def test_one_record_is_enough(name):
    format_, sample = SAMPLES[name]
    assert recognise("readings", sample[:1]).trial.format == format_


@pytest.mark.parametrize(
    ("sample", "message"),
    [
        ([], "holds no records"),
        ([record(None)], "none of its last 1 record has a value"),
        ([record("hello \x1b[2J world")], "the last record begins with"),
        ([record({"message": "hello"})], "an object without a number to forecast"),
        ([record([1, 2, 3])], "JSON, but not an object"),
        ([record(b"\x00\x00\x00\x00\x07\x02\x08abc")], "schema registry"),
        (
            records(telegraf_json, 4) + records(influx_line, 4) + [record("x")] * 4,
            "mixes formats: 33% influx-line",
        ),
        (
            records(lambda number: prometheus_json(number) | {"fields": {"up": 1}, "timestamp": AT_S}),
            'telegraf-json and prometheus-json equally well.* topic = "re adings", format = "telegraf-json"',
        ),
    ],
)
def test_a_topic_in_no_single_format_gets_a_reason(sample, message):
    with pytest.raises(Unrecognised, match=message) as raised:
        recognise("re\nadings", sample)
    assert str(raised.value).isprintable()


def test_an_event_of_another_type_is_read_as_json():
    headers = [(f"ce_{name}", b"x") for name in ("id", "source", "type")] + [("ce_specversion", b"1.0")]
    assert recognise("readings", [record({"temp": 1}, headers=headers)]).trial.format == "json"


def test_half_telegraf_and_half_lines_is_mixed():
    mixed = records(telegraf_json, 4) + records(influx_line, 4)
    with pytest.raises(Unrecognised, match=r"mixes formats: 50% [a-z-]+, 50% [a-z-]+\. "):
        recognise("readings", mixed)
    with pytest.raises(Unrecognised, match=r"44% [a-z-]+; the rest is unknown"):
        recognise("readings", [*mixed, record("hello")])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b'{"a":"\xff"}', "the last record begins with"),
        (
            gzip.compress(b'{"a":1}', mtime=0),
            "the last record cannot be read: its value is compressed with gzip",
        ),
    ],
)
def test_bytes_that_are_not_text_are_described(value, reason):
    with pytest.raises(Unrecognised, match=reason):
        recognise("readings", [record(value)])


@given(st.lists(st.binary(max_size=80), min_size=1, max_size=5))
def test_no_bytes_cause_another_error(values):
    with suppress(Unrecognised):
        recognise("readings", [record(value) for value in values])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["name", "fields", "timestamp", "ts", "device", "payload", "after", "op", "value", "a.b", ""]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON, min_size=1, max_size=4))
def test_no_json_causes_another_error_and_what_is_proposed_decodes(values):
    sample = [record(json.dumps(value).encode()) for value in values]
    with suppress(Unrecognised):
        found = recognise("readings", sample)
        again = try_format(found.trial.format, found.trial.options, sample)
        assert again.decoded == found.trial.decoded > 0
