"""Readings of one series per record: what is written is read back."""

from __future__ import annotations

from typing import Any

import pytest

from interceptor.readings import by_series
from interceptor.readings.by_series import BySeries, encode
from interceptor.readings.contract import Decoded, MetricKind, Series, Skip, UndecodableRecord

SERIES = {
    "idle": Series("cpu.idle host=a", {"host": "a"}, "%", MetricKind.GAUGE),
    "requests": Series("requests", {}, "1", MetricKind.CUMULATIVE),
    "surrogate": Series("\ud800", {}),
    "unit": Series("unit", {}, "\ud800"),
    "labels": Series("labels", {"host": "\ud800"}),
}


class Table:
    """A format whose keys are those of SERIES."""

    def decode(self, *_: Any) -> Decoded:
        raise NotImplementedError

    def series(self, key: str) -> Series | None:
        return SERIES.get(key)


def decoded(*readings: tuple[str, int, float]) -> Decoded:
    found = Decoded()
    for reading in readings:
        found.add(*reading)
    return found


def test_each_series_gets_a_record_with_its_readings_in_order() -> None:
    records = encode(decoded(("idle", 1, 0.5), ("requests", 2, 7.0), ("idle", 3, 1.5)), Table())
    assert [key for key, _ in records] == [b"cpu.idle host=a", b"requests"]
    back = BySeries().decode(records[0][1], records[0][0], [], 0)
    assert (back.times_ns, back.values) == ([1, 3], [0.5, 1.5])


@pytest.mark.parametrize("key", ["idle", "requests"])
def test_the_series_is_read_back_as_it_was_written(key: str) -> None:
    ((_, value),) = encode(decoded((key, 1, 0.5)), Table())
    format_ = BySeries()
    assert format_.series(format_.decode(value, None, [], 0).keys[0]) == SERIES[key]


@pytest.mark.parametrize("key", ["unit", "labels"])
def test_a_unit_or_labels_that_are_not_unicode_are_left_out(key: str) -> None:
    ((_, value),) = encode(decoded((key, 1, 0.5)), Table())
    format_ = BySeries()
    assert format_.series(format_.decode(value, None, [], 0).keys[0]) == Series(key, {})


@pytest.mark.parametrize("key", ["unknown", "surrogate"])
def test_readings_without_a_proper_series_are_counted(key: str) -> None:
    readings = decoded((key, 1, 0.5), (key, 2, 0.5), ("idle", 3, 1.0))
    assert len(encode(readings, Table())) == 1
    assert readings.skipped == {Skip.NO_SERIES: 2}


@pytest.mark.parametrize(
    "value", [b"", b"[]", b'{"series":"a"}', b'{"series":"a","readings":[[1,"x"]]}', b"[" * 100_000]
)
def test_other_bytes_are_rejected_with_a_reason(value: bytes) -> None:
    with pytest.raises(UndecodableRecord, match="not readings by series: "):
        BySeries().decode(value, None, [], 0)


def test_readings_that_no_window_can_hold_are_skipped() -> None:
    format_ = BySeries()
    found = format_.decode(b'{"series":"a","readings":[[-1,1],[9223372036854775808,1],[5,2]]}', None, [], 0)
    assert (found.times_ns, found.values, found.skipped) == ([5], [2.0], {Skip.NO_TIME: 2})


@pytest.mark.parametrize(
    "head", [b'"series":""', b'"series":"%b"' % (b"x" * 1025), b'"series":"a","labels":[5]']
)
def test_a_series_without_proper_name_or_labels_is_none(head: bytes) -> None:
    format_ = BySeries()
    (key,) = format_.decode(b'{%b,"readings":[[5,1]]}' % head, None, [], 0).keys
    assert format_.series(key) is None


def test_labels_that_the_window_leaves_out_are_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SERIES, "many", Series("many", {"label": "x" * 5000}))
    ((_, value),) = encode(decoded(("many", 1, 0.5)), Table())
    assert len(value) < 100


def test_readings_that_are_too_large_by_series_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_series, "MAX_BYTES", 100)
    with pytest.raises(UndecodableRecord, match="by series, because each series repeats its labels"):
        encode(decoded(("idle", 1, 0.5), ("requests", 1, 0.5)), Table())
