"""A command ends when its parent process ends."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

import psutil
import pytest

from tests.waiting import eventually_async

TIMEOUT_S = 10.0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_child_ends_with_its_parent(number: signal.Signals, tmp_path: Path) -> None:
    child = tmp_path / "child.py"
    child.write_text(
        "import time\nfrom fncast.demo.child import end_with_parent\n"
        "end_with_parent()\nprint('up', flush=True)\ntime.sleep(60)"
    )
    parent = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, {str(child)!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
        "child.stdout.readline(); print(child.pid, flush=True); time.sleep(60)"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", parent, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        child_process = psutil.Process(int(await asyncio.wait_for(process.stdout.readline(), TIMEOUT_S)))
        process.send_signal(number)
        await asyncio.wait_for(process.wait(), TIMEOUT_S)
    finally:
        if process.returncode is None:
            process.kill()
    await eventually_async(lambda: not child_process.is_running())
