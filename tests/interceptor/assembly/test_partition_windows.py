"""The series of a partition: which are taken, and how many."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from fncast.series.step import Step
from interceptor.assembly.partition_windows import PartitionWindows
from interceptor.assembly.rules import Rules
from interceptor.readings.contract import Series
from interceptor.readings.telegraf import TelegrafJson
from tests.interceptor.assembly.partitions import NEW_YEAR_S, Names, decoded


def partition(**rules: Any) -> PartitionWindows:
    defaults: dict[str, Any] = {"window": 3, "minimum": 1, "step": Step.seconds(10)}
    return PartitionWindows(Names(), Rules(**(defaults | rules)), "telegraf")


def add(windows: PartitionWindows, *names: str) -> dict[str, int]:
    windows.outcomes.clear()
    windows.add(decoded([(name, NEW_YEAR_S, 1.0) for name in names]), NEW_YEAR_S * 1000, 0)
    return dict(windows.outcomes)


def test_globs_choose_the_series() -> None:
    windows = partition(include=("cpu.*", "mem"), exclude=("*.steal",))
    assert add(windows, "cpu.idle", "cpu.steal", "mem", "memory") == {"stored": 2, "excluded": 2}
    assert [series.name for series in windows.series] == ["cpu.idle", "mem"]


def test_series_are_counters_by_name() -> None:
    windows = partition(counters=("net.bytes_*",))
    for index, value in enumerate((1000.0, 1500.0)):
        readings = [
            ("net.bytes_recv", NEW_YEAR_S + 10 * index, value),
            ("net.speed", NEW_YEAR_S + 10 * index, value),
        ]
        completed = windows.add(decoded(readings), NEW_YEAR_S * 1000, index)
    assert [window.values[-1] for window in completed] == [50.0, 1500.0]


def test_new_series_beyond_the_bound_are_rejected_counted_and_named_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    windows = partition(max_series=2)
    with caplog.at_level(logging.WARNING):
        assert add(windows, "a", "b", "c\x1b[31m", "d") == {"stored": 2, "no-room": 2}
        assert add(windows, "a", "e") == {"repeated": 1, "no-room": 1}
    assert caplog.text.count("more than max_series = 2 series") == 1
    assert "\x1b" not in caplog.text


def test_the_caches_are_bounded() -> None:
    windows = partition(max_series=2)
    for number in range(100):
        add(windows, f"s{number}")
    assert len(windows.cached_keys) <= 4


def test_keys_with_one_name_are_one_series() -> None:
    windows = PartitionWindows(TelegrafJson("{name}.{field}"), Rules(), "t")
    record = '{"name":"cpu","tags":{"host":"%s"},"fields":{"idle":%d},"timestamp":%d}'
    for host in ("a", "b"):
        value = (record % (host, 1, NEW_YEAR_S)).encode()
        windows.add(TelegrafJson("{name}.{field}").decode(value, None, [], 0), NEW_YEAR_S * 1000, 0)
    assert [series.name for series in windows.series] == ["cpu.idle"]


@pytest.mark.parametrize("name", ["", "\ud800"])
def test_a_series_without_a_proper_name_is_counted(name: str) -> None:
    class Odd(Names):
        def series(self, key: str) -> Series | None:
            return Series(name, {}) if name else None

    windows = PartitionWindows(Odd(), Rules(), "t")
    assert add(windows, "x") == {"no-series": 1}


def test_labels_that_are_too_many_are_left_out() -> None:
    class Labelled(Names):
        def series(self, key: str) -> Series:
            return Series(key, {"a": "x" * (5000 if key == "long" else 1)})

    windows = PartitionWindows(Labelled(), Rules(), "t")
    add(windows, "long", "short")
    assert [series.labels_json for series in windows.series] == [b"", b'{"a":"x"}']


@pytest.mark.parametrize("milliseconds", [0, -1])
def test_a_record_without_a_timestamp_has_no_readings_from_the_future(milliseconds: int) -> None:
    windows = partition()
    assert len(windows.add(decoded([("a", NEW_YEAR_S, 1.0)]), milliseconds, 0)) == 1


@pytest.mark.parametrize("time_ns", [0, 1, 2**63 - 1])
def test_the_first_and_the_last_time_have_windows(time_ns: int) -> None:
    windows = partition(window=1024)
    batch = decoded([("a", 0, 1.0)])
    batch.times_ns = [time_ns]
    (window,) = windows.add(batch, 0, 0)
    assert window.to_json().startswith(b'{"start":"')


def test_the_cache_of_keys_is_bounded_by_their_size() -> None:
    windows = partition(max_series=10)
    for number in range(100):
        windows.add(decoded([(f"{number}" + "x" * 5000, 0, 1.0)]), 1000, number)
        assert sum(len(str(key)) for key in windows.cached_keys) < 10 * 2048 + 6000
    assert windows.outcomes["no-room"] == 90
