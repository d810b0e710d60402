"""Parts and settings that fail."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from benchmarks.growth import backlog, growth
from benchmarks.growth.backlog import rates
from benchmarks.lib.load import Load
from benchmarks.lib.meter import WrongForecasts
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


@pytest.fixture
def saved(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The blocks of each result that `growth` writes. Its only part is a sweep in which only 4 partitions work."""

    async def rate_of(testbed: Any, pipeline: FncastPipeline, load: Load, partitions: int) -> float:
        if partitions != 4:
            raise WrongForecasts("3 lost")
        return 5.0

    async def sweep(testbed: Any, arguments: argparse.Namespace) -> list[str]:
        pipeline = FncastPipeline(EXACTLY, Path())
        settings = {f"{count}": (pipeline, Load(10), count) for count in arguments.counts}
        found = await rates(testbed, arguments, settings)
        return [", ".join(f"{name}: {rate}" for name, rate in found.items())]

    written: list[str] = []
    monkeypatch.setattr(backlog, "rate_of", rate_of)
    monkeypatch.setattr(growth, "PARTS", {"sweep": sweep})
    monkeypatch.setattr(
        growth.report, "save", lambda section, facts, blocks: written.append("; ".join(blocks))
    )
    monkeypatch.setattr(growth.pages, "generate", lambda: None)
    return written


def run_sweep(counts: tuple[int, ...]) -> int:
    testbed: Any = FakeTestbed()
    arguments = argparse.Namespace(part=None, rounds=1, scale=1.0, print_only=False, counts=counts)
    return asyncio.run(growth.measure(testbed, arguments))


def test_a_setting_that_fails_does_not_stop_its_sweep(saved: list[str]) -> None:
    assert run_sweep((1, 4)) == 1
    assert saved == ["1: not measured, 4: 5.00; Failed: 1: 3 lost."]


def test_a_sweep_without_any_rate_writes_no_result(saved: list[str]) -> None:
    assert run_sweep((1, 16)) == 1
    assert saved == []
