from __future__ import annotations

import math
from collections import namedtuple
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import psutil
import pytest

from fncast.produce.machine import MachineFeed

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
Network = namedtuple("Network", "bytes_recv bytes_sent")
Disk = namedtuple("Disk", "read_bytes write_bytes")


@pytest.fixture
def clock() -> Iterator[float]:
    return (0.5 * number for number in count())


def test_cpu_and_memory_of_this_machine_are_read(clock: Iterator[float]) -> None:
    machine = MachineFeed(SINCE, clock=lambda: next(clock))
    readings = {reading.series: reading for reading in machine.read(8)}
    assert set(readings) == {"cpu", "memory"}  # traffic needs two reads
    for reading in readings.values():
        assert 0 <= reading.value <= 100
        assert (reading.index, reading.time, reading.unit) == (8, SINCE + timedelta(seconds=2), "%")
        assert reading.highest == 100


def test_traffic_is_the_growth_of_the_counters_per_second(
    monkeypatch: pytest.MonkeyPatch, clock: Iterator[float]
) -> None:
    network = iter([Network(1_000, 10_000), Network(1_500, 10_000), Network(20, 30_000)])
    monkeypatch.setattr(psutil, "net_io_counters", lambda: next(network))
    monkeypatch.setattr(psutil, "disk_io_counters", lambda: Disk(7, 7))
    machine = MachineFeed(SINCE, clock=lambda: next(clock))
    machine.read(0)
    second = {reading.series: reading.value for reading in machine.read(1)}
    assert (second["network-in"], second["network-out"], second["disk-read"]) == (1_000, 0, 0)
    third = {reading.series: reading.value for reading in machine.read(2)}
    assert math.isnan(third["network-in"])  # a counter that was reset
    assert third["network-out"] == 40_000


@pytest.mark.parametrize("error", [None, FileNotFoundError("/proc/diskstats"), RuntimeError("no disk")])
def test_without_disk_counters_there_are_no_disk_series(
    monkeypatch: pytest.MonkeyPatch, clock: Iterator[float], error: Exception | None
) -> None:
    def counters() -> None:
        if error:
            raise error

    monkeypatch.setattr(psutil, "disk_io_counters", counters)
    monkeypatch.setattr(psutil, "net_io_counters", lambda: None)
    machine = MachineFeed(SINCE, clock=lambda: next(clock))
    machine.read(0)
    assert {reading.series for reading in machine.read(1)} == {"cpu", "memory"}
