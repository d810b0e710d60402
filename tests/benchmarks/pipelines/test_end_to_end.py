"""Lost, doubled and disordered forecasts fail the benchmark and its exit code."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks.lib.meter import Measured
from benchmarks.lib.programs import AT_LEAST, EXACTLY, Fncast
from benchmarks.pipelines import end_to_end
from benchmarks.pipelines.end_to_end import PipelineResult
from benchmarks.pipelines.peer_programs import Peer
from fncast.demo.process import ProcessFailed

RIGHT = Measured(events=100, forecasts=100, rate=1000.0, lost=0, doubled=0, disordered=0)
LOST = Measured(events=100, forecasts=99, rate=1000.0, lost=1, doubled=0, disordered=0)
DOUBLED = Measured(events=100, forecasts=101, rate=1000.0, lost=0, doubled=1, disordered=0)
DISORDERED = Measured(events=100, forecasts=100, rate=1000.0, lost=0, doubled=0, disordered=1)


async def warm_up(scale: float) -> None:
    pass


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
def test_one_wrong_run_fails_a_pipeline(run: Measured, keeps_order: bool, is_right: bool) -> None:
    pipeline = Peer("peer", "plain", "none.py", AT_LEAST, Path(), keeps_order=keeps_order)
    assert PipelineResult(pipeline, [RIGHT, run, RIGHT]).is_right is is_right


@pytest.mark.parametrize(("run", "code"), [(RIGHT, 0), (LOST, 1), (DOUBLED, 1), (DISORDERED, 1)])
def test_lost_doubled_or_disordered_events_give_exit_code_1(
    run: Measured, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run_round(testbed: Any, result: PipelineResult, scale: float) -> None:
        result.runs.append(run)
        result.cpu_us.append({})

    monkeypatch.setattr(end_to_end, "_run_round", run_round)
    monkeypatch.setattr(end_to_end, "_pipelines", lambda *_: [Fncast(EXACTLY, Path())])
    testbed: Any = SimpleNamespace(models=Path(), model=Path(), warm_up=warm_up)
    arguments = argparse.Namespace(quick=True, only=None, rounds=2, scale=1.0, print_only=True)
    assert asyncio.run(end_to_end._compare(testbed, arguments)) == code
    errors = capsys.readouterr().err
    assert ("lost, doubled or disordered events: fncast, exactly-once" in errors) is bool(code)


def test_the_page_stays_unchanged_if_all_measurements_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run_round(testbed: Any, result: PipelineResult, scale: float) -> None:
        raise ProcessFailed("the broker has ended")

    monkeypatch.setattr(end_to_end, "_run_round", run_round)
    monkeypatch.setattr(end_to_end.report, "write", lambda *_: pytest.fail("the page was written"))
    monkeypatch.setattr(end_to_end.plot, "bars", lambda *_: pytest.fail("a plot was written"))
    broker = SimpleNamespace(name="none")
    testbed: Any = SimpleNamespace(models=Path(), model=Path(), broker=broker, warm_up=warm_up)
    arguments = argparse.Namespace(quick=False, only=["fncast"], rounds=1, scale=1.0, print_only=False)
    assert asyncio.run(end_to_end._compare(testbed, arguments)) == 1
