"""Readings of one series per record: what is written is read back."""

from __future__ import annotations

from typing import Any

import pytest

from interceptor.readings.by_series import BySeries, encode
from interceptor.readings.contract import Decoded, Kind, Series, Skip, UndecodableRecord

SERIES = {
    "idle": Series("cpu.idle host=a", {"host": "a"}, "%", Kind.GAUGE),
    "requests": Series("requests", {}, "1", Kind.CUMULATIVE),
    "surrogate": Series("\ud800", {}),
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
