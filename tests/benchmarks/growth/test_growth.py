"""A failing part or setting does not stop the others, and wrong forecasts fail a run."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.growth import backlog as growth_run
from benchmarks.growth import growth
from benchmarks.growth.backlog import check, rates
from benchmarks.lib.load import Load
from benchmarks.lib.meter import Measured, WrongForecasts
from benchmarks.lib.programs import EXACTLY, Fncast
from fncast.demo.process import ProcessFailed


async def warm_up(scale: float) -> None:
    pass


@pytest.mark.parametrize("error", [ProcessFailed("it ended"), WrongForecasts("1 lost"), ValueError("a bug")])
def test_a_failing_part_does_not_stop_the_others(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fails(*_: object) -> str:
        raise error

    async def works(*_: object) -> str:
        return "a table"

    monkeypatch.setattr(growth, "PARTS", {"first": fails, "second": works})
    testbed: Any = SimpleNamespace(broker=SimpleNamespace(name="none"), failed=[], warm_up=warm_up)
    arguments = argparse.Namespace(part=None, rounds=1, scale=1.0, print_only=True)
    assert asyncio.run(growth._measure(testbed, arguments)) == 1
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
def test_lost_doubled_or_disordered_events_fail_the_run(wrong: dict[str, int], message: str) -> None:
    right = Measured(events=10, forecasts=10, rate=1.0, lost=0, doubled=0, disordered=0)
    check(right)
    with pytest.raises(WrongForecasts, match=message):
        check(replace(right, **wrong))


def test_a_failing_setting_does_not_stop_the_others_of_its_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    async def rate_of(testbed: Any, pipeline: Fncast, load: Load, partitions: int) -> float:
        if partitions != 4:
            raise WrongForecasts("3 lost")
        return 5.0

    async def sweep(testbed: Any, arguments: argparse.Namespace) -> str:
        pipeline = Fncast(EXACTLY, Path())
        settings = {f"{count}": (pipeline, Load(10), count) for count in arguments.counts}
        found = await rates(testbed, arguments, settings)
        return ", ".join(f"{name}: {rate}" for name, rate in found.items())

    monkeypatch.setattr(growth_run, "rate_of", rate_of)
    monkeypatch.setattr(growth, "PARTS", {"sweep": sweep})
    testbed: Any = SimpleNamespace(broker=SimpleNamespace(name="none"), failed=[], warm_up=warm_up)
    written: list[str] = []
    monkeypatch.setattr(growth.report, "write", lambda section, text: written.append(text))
    arguments = argparse.Namespace(part=None, rounds=1, scale=1.0, print_only=False, counts=(1, 4))
    assert asyncio.run(growth._measure(testbed, arguments)) == 1
    assert "1: not measured, 4: 5.00\n\nFailed: 1: 3 lost." in written[0]
    arguments.counts = (1, 16)
    assert asyncio.run(growth._measure(testbed, arguments)) == 1
    assert len(written) == 1, "the page was written although no setting was measured"
