"""Processes side by side: what their end means for the others."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from fncast.demo.process import ProcessFailed, Program
from fncast.demo.process_group import ProcessGroup

TIMEOUT_S = 10.0

FOREVER = "import signal; print(flush=True); signal.pause()"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); signal.pause()"


def program(name: str, text: str) -> Program:
    """Python code as a program that is not restarted. It is ready with its first line."""
    has_printed = asyncio.Event()

    async def ready() -> bool:
        return has_printed.is_set()

    def output(_: str) -> None:
        has_printed.set()

    return Program(name, [sys.executable, "-S", "-c", text], ready, output, is_restarted=False)


@pytest.fixture
async def group(tmp_path: Path) -> ProcessGroup:
    return ProcessGroup(tmp_path, lambda name, message: None)


async def test_a_process_that_ends_by_itself_is_the_failure_of_all(group: ProcessGroup) -> None:
    await group.start(program("one", FOREVER))
    await group.start(program("two", "print()"))
    with pytest.raises(ProcessFailed, match=r"^two ended by itself$"):
        await asyncio.wait_for(group.failure, TIMEOUT_S)
    await group.end(group.names, TIMEOUT_S)


async def test_a_process_that_may_end_is_a_failure_only_if_it_fails(group: ProcessGroup) -> None:
    await group.start(program("training", "print()"), may_end=True)
    await group.wait_for_end("training")
    assert not group.failure.done()
    with pytest.raises(ProcessFailed, match="no data"):
        await group.start(program("again", "raise SystemExit('no data')"), may_end=True, advice="Add data.")
    with pytest.raises(ProcessFailed, match=r"(?s)no data.*\nAdd data\.$"):
        await asyncio.wait_for(group.failure, TIMEOUT_S)


async def test_a_process_that_does_not_end_in_time_is_killed(group: ProcessGroup) -> None:
    await group.start(program("deaf", DEAF))
    group.expect_ends()
    await group.end(["deaf", "unknown"], 0.05)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(group.failure), 0)
    await asyncio.wait_for(group.wait_for_end("deaf"), TIMEOUT_S)
