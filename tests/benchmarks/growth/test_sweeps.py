from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks.growth import sweeps
from benchmarks.lib.load import Load
from benchmarks.lib.programs import FncastPipeline
from benchmarks.lib.report import Table
from benchmarks.lib.spread import Spread

ARGUMENTS = argparse.Namespace(rounds=1, scale=1.0, print_only=True)


class FakeTestbed:
    """A testbed without a broker."""

    models = Path()


def test_the_share_of_linear_growth_compares_with_calls_that_take_only_their_latency(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each setting has 1,024 events/s for each of its calls in flight."""

    async def rates(
        testbed: Any,
        arguments: argparse.Namespace,
        settings: Mapping[str, tuple[FncastPipeline, Load, int]],
    ) -> dict[str, Spread]:
        calls = {
            name: pipeline.settings["fn"]["calls_in_flight"] for name, (pipeline, *_) in settings.items()
        }
        return {name: Spread.of([1024.0 * int(str(count))]) for name, count in calls.items()}

    @contextlib.asynccontextmanager
    async def slow_function(testbed: Any, latency_ms: int) -> AsyncIterator[str]:
        yield f"http://127.0.0.1:1/{latency_ms}"

    monkeypatch.setattr(sweeps, "rates", rates)
    monkeypatch.setattr(sweeps, "_slow_function", slow_function)
    testbed: Any = FakeTestbed()
    found = asyncio.run(sweeps.latency(testbed, ARGUMENTS))
    measured, shares = (block for block in found if isinstance(block, Table))
    assert [row[0] for row in measured.rows] == ["1 ms", "3 ms", "10 ms", "30 ms", "100 ms"]
    assert list(measured.rows[-1][1:]) == [Spread.of([1024.0 * calls]) for calls in sweeps.CALLS]
    assert list(shares.rows[-1][1:]) == pytest.approx([0.2] * len(sweeps.CALLS))
