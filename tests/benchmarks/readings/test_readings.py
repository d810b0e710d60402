"""The benchmark of single readings: its load, its ratios, and its gaps."""

from __future__ import annotations

import argparse
import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from benchmarks.readings import history, live, rates, readings, restarts
from benchmarks.readings.output import AppendedForecast
from fncast.demo.process import ProcessFailed
from interceptor.readings.telegraf import TelegrafJson


def test_the_load_has_the_names_that_fncast_gives_its_series() -> None:
    [(key, value, _)] = history.backlog(1, 1, fields=1)
    assert isinstance(value, bytes)
    format_ = TelegrafJson()
    decoded = format_.decode(value, None, [], 0)
    series = format_.series(decoded.keys[0])
    assert series is not None
    assert (key, series.name) == ("web-0", history.series_name(0, live.FIELD))
    assert history.host_and_time(value) == (0, decoded.times_ns[0] // 10**9)


def test_a_reading_is_found_by_the_id_of_its_window() -> None:
    assert live.window_id(7, 1_767_225_600) == "cpu.usage_0 cpu=cpu-total host=web-7@2026-01-01T00:00:00Z"


@pytest.mark.parametrize("at_s", [1_767_225_600, 1_782_864_000], ids=["winter", "summer"])
def test_the_end_of_a_window_does_not_depend_on_the_time_zone(
    at_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        assert live.window_end_s(live.window_id(7, at_s)) == at_s
    finally:
        monkeypatch.undo()
        time.tzset()


def test_ratios_are_taken_round_by_round() -> None:
    ours, theirs = readings.rows(Path(), Path())[:2]
    for row, speeds in ((ours, (200.0, 600.0)), (theirs, (100.0, 200.0))):
        row.runs = [rates.Rate(10, speed, {}, 0) for speed in speeds]
    assert (ours.ratio(theirs).low, ours.ratio(theirs).high) == (2.0, 3.0)


def test_a_gap_is_within_one_partition() -> None:
    appended = [
        AppendedForecast(0, 0, "a", 1.0),
        AppendedForecast(1, 0, "b", 2.0),
        AppendedForecast(0, 1, "a", 4.0),
    ]
    assert restarts.longest_gap_s(appended) == 3.0


@dataclass
class Broker:
    name: str = "none"
    bootstrap_servers: str = "127.0.0.1:9"


@dataclass
class FakeTestbed:
    """A testbed without a broker."""

    models: Path = Path()
    model: Path = Path()
    broker: Broker = field(default_factory=Broker)

    async def create_topics(self, *kinds: str) -> list[str]:
        return list(kinds)

    async def warm_up(self, scale: float) -> None: ...


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The topics of the backlogs. Each run on them fails, and no other figure is measured."""

    async def fails(*_: object) -> rates.Rate:
        raise ProcessFailed("no broker")

    topics: list[str] = []
    monkeypatch.setattr(readings, "publish", lambda servers, topic, records: topics.append(topic))
    monkeypatch.setattr(readings.rates, "measure", fails)
    monkeypatch.setattr(readings.figures, "FIGURES", {})
    monkeypatch.setattr(readings.charts, "bars", lambda *_: pytest.fail("a chart was drawn"))
    monkeypatch.setattr(readings.report, "save", lambda *_: pytest.fail("a result was written"))
    return topics


def run_benchmark() -> int:
    testbed: Any = FakeTestbed()
    arguments = argparse.Namespace(only=["fncast", "one process"], rounds=1, scale=0.1, print_only=False)
    return asyncio.run(readings.measure(testbed, arguments))


def test_rows_with_the_same_load_share_a_backlog(published: list[str]) -> None:
    run_benchmark()
    assert len(published) == 2


@pytest.mark.usefixtures("published")
def test_without_a_measurement_no_result_is_written() -> None:
    assert run_benchmark() == 1
