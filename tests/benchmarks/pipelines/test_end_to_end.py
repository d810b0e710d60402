"""Whether a run was right, and what the program's exit code says of it."""

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
from benchmarks.pipelines.end_to_end import Standing
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
def test_one_wrong_run_makes_a_pipeline_wrong(run: Measured, keeps_order: bool, is_right: bool) -> None:
    pipeline = Peer("peer", "plain", "none.py", AT_LEAST, Path(), keeps_order=keeps_order)
    assert Standing(pipeline, [RIGHT, run, RIGHT]).is_right is is_right


@pytest.mark.parametrize(("run", "code"), [(RIGHT, 0), (LOST, 1), (DOUBLED, 1), (DISORDERED, 1)])
def test_the_exit_code_tells_of_loss_and_disorder(
    run: Measured, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def turn(stand: Any, standing: Standing, scale: float) -> None:
        standing.runs.append(run)
        standing.cpu_us.append({})

    monkeypatch.setattr(end_to_end, "_turn", turn)
    monkeypatch.setattr(end_to_end, "_pipelines", lambda *_: [Fncast(EXACTLY, Path())])
    stand: Any = SimpleNamespace(models=Path(), model=Path(), warm_up=warm_up)
    arguments = argparse.Namespace(quick=True, only=None, rounds=2, scale=1.0, print_only=True)
    assert asyncio.run(end_to_end._compare(stand, arguments)) == code
    told = capsys.readouterr().err
    assert ("lost, doubled or disordered events: fncast, exactly-once" in told) is bool(code)


def test_where_nothing_was_measured_the_page_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def turn(stand: Any, standing: Standing, scale: float) -> None:
        raise ProcessFailed("no broker any more")

    monkeypatch.setattr(end_to_end, "_turn", turn)
    monkeypatch.setattr(end_to_end.report, "save", lambda *_: pytest.fail("the result was written"))
    monkeypatch.setattr(end_to_end.plot, "bars", lambda *_: pytest.fail("a plot was made"))
    broker = SimpleNamespace(name="none")
    stand: Any = SimpleNamespace(models=Path(), model=Path(), broker=broker, warm_up=warm_up)
    arguments = argparse.Namespace(quick=False, only=["fncast"], rounds=1, scale=1.0, print_only=False)
    assert asyncio.run(end_to_end._compare(stand, arguments)) == 1
