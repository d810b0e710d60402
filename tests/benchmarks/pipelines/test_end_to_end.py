"""Whether a run was right, and the program's exit code."""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from benchmarks.lib.meter import RunResult
from benchmarks.lib.programs import AT_LEAST, EXACTLY, FncastPipeline
from benchmarks.pipelines import end_to_end
from benchmarks.pipelines.end_to_end import RateResult
from benchmarks.pipelines.peer_programs import Peer
from fncast.demo.process import ProcessFailed

RIGHT = RunResult(events=100, forecasts=100, rate=1000.0, lost=0, doubled=0, disordered=0)
LOST = RunResult(events=100, forecasts=99, rate=1000.0, lost=1, doubled=0, disordered=0)
DOUBLED = RunResult(events=100, forecasts=101, rate=1000.0, lost=0, doubled=1, disordered=0)
DISORDERED = RunResult(events=100, forecasts=100, rate=1000.0, lost=0, doubled=0, disordered=1)


@dataclass
class Broker:
    name: str = "none"


@dataclass
class FakeTestbed:
    """A testbed without a broker."""

    models: Path = Path()
    model: Path = Path()
    broker: Broker = field(default_factory=Broker)

    async def warm_up(self, scale: float) -> None: ...


@pytest.mark.parametrize(
    ("run", "keeps_order", "is_right"),
    [
        (RIGHT, True, True),
        (LOST, True, False),
        (DOUBLED, True, False),
        (DISORDERED, True, False),
        (DISORDERED, False, True),
        (LOST, False, False),
    ],
)
def test_one_wrong_run_makes_a_pipeline_wrong(run: RunResult, keeps_order: bool, is_right: bool) -> None:
    pipeline = Peer("peer", "plain", "none.py", AT_LEAST, Path(), keeps_order=keeps_order)
    assert RateResult(pipeline, [RIGHT, run, RIGHT]).is_right is is_right


@pytest.mark.parametrize(("run", "code"), [(RIGHT, 0), (LOST, 1), (DOUBLED, 1), (DISORDERED, 1)])
def test_loss_and_disorder_fail_the_program(
    run: RunResult, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def measure(testbed: Any, result: RateResult, scale: float) -> None:
        result.runs.append(run)
        result.cpu_us.append({})

    monkeypatch.setattr(end_to_end, "measure_pipeline", measure)
    monkeypatch.setattr(end_to_end, "build_pipelines", lambda *_: [FncastPipeline(EXACTLY, Path())])
    testbed: Any = FakeTestbed()
    arguments = argparse.Namespace(quick=True, only=None, rounds=2, scale=1.0, print_only=True)
    assert asyncio.run(end_to_end.compare(testbed, arguments)) == code
    errors = capsys.readouterr().err
    assert ("lost, doubled or disordered events: fncast, exactly-once" in errors) is bool(code)


def test_without_a_measurement_no_page_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    async def measure(testbed: Any, result: RateResult, scale: float) -> None:
        raise ProcessFailed("no broker any more")

    monkeypatch.setattr(end_to_end, "measure_pipeline", measure)
    monkeypatch.setattr(end_to_end.report, "save", lambda *_: pytest.fail("the result was written"))
    monkeypatch.setattr(end_to_end.charts, "bars", lambda *_: pytest.fail("a chart was drawn"))
    testbed: Any = FakeTestbed()
    arguments = argparse.Namespace(quick=False, only=["fncast"], rounds=1, scale=1.0, print_only=False)
    assert asyncio.run(end_to_end.compare(testbed, arguments)) == 1
