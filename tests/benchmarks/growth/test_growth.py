"""Parts that fail, and runs with wrong forecasts."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.growth import backlog as growth_run
from benchmarks.growth import growth
from benchmarks.growth.backlog import check, rates
from benchmarks.lib.load import Load
from benchmarks.lib.meter import Measured, WrongForecasts
from benchmarks.lib.programs import EXACTLY, FncastPipeline
from fncast.demo.process import ProcessFailed


@dataclass
class Broker:
    name: str = "none"


@dataclass
class FakeTestbed:
    """A testbed without a broker."""

    broker: Broker = field(default_factory=Broker)
    failed: list[str] = field(default_factory=list)

    async def warm_up(self, scale: float) -> None: ...


@pytest.mark.parametrize("error", [ProcessFailed("it ended"), WrongForecasts("1 lost"), ValueError("a bug")])
def test_a_part_that_fails_does_not_stop_the_others(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fails(*_: object) -> str:
        raise error

    async def works(*_: object) -> list[str]:
        return ["a table"]

    monkeypatch.setattr(growth, "PARTS", {"first": fails, "second": works})
    testbed: Any = FakeTestbed()
    arguments = argparse.Namespace(part=None, rounds=1, scale=1.0, print_only=True)
    assert asyncio.run(growth.measure(testbed, arguments)) == 1
    out, err = capsys.readouterr()
    assert out == "a table\n"
    assert f"growth: first: {error}" in err or f"growth: first: {error!r}" in err


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"lost": 1}, "of 10 events 1 lost, 0 doubled, 0 out of order"),
        ({"doubled": 1}, "of 10 events 0 lost, 1 doubled, 0 out of order"),
        ({"disordered": 1}, "of 10 events 0 lost, 0 doubled, 1 out of order"),
    ],
)
def test_a_run_that_loses_doubles_or_disorders_an_event_is_wrong(wrong: dict[str, int], message: str) -> None:
    right = Measured(events=10, forecasts=10, rate=1.0, lost=0, doubled=0, disordered=0)
    check(right)
    with pytest.raises(WrongForecasts, match=message):
        check(replace(right, **wrong))


def test_a_setting_that_fails_does_not_stop_its_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    async def rate_of(testbed: Any, pipeline: FncastPipeline, load: Load, partitions: int) -> float:
        if partitions != 4:
            raise WrongForecasts("3 lost")
        return 5.0

    async def sweep(testbed: Any, arguments: argparse.Namespace) -> list[str]:
        pipeline = FncastPipeline(EXACTLY, Path())
        settings = {f"{count}": (pipeline, Load(10), count) for count in arguments.counts}
        found = await rates(testbed, arguments, settings)
        return [", ".join(f"{name}: {rate}" for name, rate in found.items())]

    monkeypatch.setattr(growth_run, "rate_of", rate_of)
    monkeypatch.setattr(growth, "PARTS", {"sweep": sweep})
    testbed: Any = FakeTestbed()
    saved: list[str] = []
    monkeypatch.setattr(growth.report, "save", lambda section, facts, blocks: saved.append("; ".join(blocks)))
    monkeypatch.setattr(growth.pages, "generate", lambda: None)
    arguments = argparse.Namespace(part=None, rounds=1, scale=1.0, print_only=False, counts=(1, 4))
    assert asyncio.run(growth.measure(testbed, arguments)) == 1
    assert "1: not measured, 4: 5.00; Failed: 1: 3 lost." in saved[0]
    arguments.counts = (1, 16)
    assert asyncio.run(growth.measure(testbed, arguments)) == 1
    assert len(saved) == 1, "nothing was measured, but a result was written"
