"""The supervisor of the demo, with programs of a line."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from fncast.demo.plan import DemoPorts, Plan
from fncast.demo.process import ProcessFailed
from fncast.demo.supervisor import DemoSupervisor


@dataclass(frozen=True)
class BrokenPlan(Plan):
    """A broker that ends before it is ready."""

    def broker(self) -> list[str]:
        return [sys.executable, "-S", "-c", "raise SystemExit('no port is free')"]


async def test_the_end_of_the_broker_ends_the_demo_and_says_that_records_are_lost(tmp_path: Path) -> None:
    plan = BrokenPlan(DemoPorts(1, 2, 3, 4, 5, 6), tmp_path / "fncast.toml", tmp_path / "models")
    supervisor = DemoSupervisor(plan, tmp_path, [], lambda name, message: None)
    with pytest.raises(ProcessFailed, match=r"(?s)no port is free.*Its records were in memory and are lost"):
        await supervisor.run()
    await supervisor.close()
