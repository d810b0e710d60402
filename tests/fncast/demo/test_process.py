from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from fncast.demo import process as process_module
from fncast.demo import process_log as process_log_module
from fncast.demo.process import Process, ProcessFailed, Program
from tests.waiting import eventually_async

TIMEOUT_S = 10.0


class Runner:
    """Runs Python code as a program, and collects reports and output."""

    def __init__(self, folder: Path) -> None:
        self.reports: list[str] = []
        self.lines: list[str] = []
        self.log = folder / "one.log"

    def process(self, text: str, *words: object, **options: object) -> Process:
        argv = [sys.executable, "-c", text, *map(str, words)]
        program = Program("one", argv, output=self.lines.append, **options)  # type: ignore[arg-type]
        return Process(program, self.log, lambda name, text: self.reports.append(f"{name}: {text}"))


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


SLEEP = "import time; print('up', flush=True); time.sleep(60)"


async def test_output_is_handed_on_and_logged(runner: Runner) -> None:
    text = "import sys; print('out'); print('é', end=''); print('err', file=sys.stderr)"
    assert await runner.process(text, is_restarted=False).run() == 0
    assert runner.lines == ["out", "é"]
    assert all(word in runner.log.read_text() for word in ("out", "é", "err"))


async def test_an_unusable_line_is_reported_and_reading_continues(runner: Runner, tmp_path: Path) -> None:
    def use(line: str) -> None:
        runner.lines.append(str(int(line)))

    program = Program("one", [sys.executable, "-c", "print('x'); print(7)"], output=use, is_restarted=False)
    process = Process(
        program, tmp_path / "one.log", lambda name, text: runner.reports.append(f"{name}: {text}")
    )
    assert await process.run() == 0
    assert runner.lines == ["7"]
    assert runner.reports[0].startswith("one: its output has an unusable line (ValueError(")


async def test_a_killed_process_is_restarted(runner: Runner) -> None:
    process = runner.process(SLEEP)
    running = asyncio.create_task(process.run())
    await eventually_async(lambda: runner.lines)
    first = process.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await eventually_async(lambda: len(runner.lines) == 2)
    assert process.pid not in (None, first)
    assert runner.reports == ["one: was ended by SIGKILL; restarting it"]
    process.end()
    assert await running == -signal.SIGTERM


async def test_a_process_that_fails_to_start_is_given_up_with_its_log(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "BACKOFF_S", (0.0,) * 4)
    process = runner.process("import sys; sys.exit('no such model')")
    with pytest.raises(
        ProcessFailed, match=r"(?s)one ended with exit code 1 4 times in a row.*no such model"
    ):
        await process.run()
    assert runner.reports == ["one: ended with exit code 1; restarting it"] * 3


async def test_a_process_ended_between_two_starts_is_not_restarted(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "BACKOFF_S", (60.0,) * 4)
    process = runner.process("print('up')\nraise SystemExit(3)")
    running = asyncio.create_task(process.run())
    await eventually_async(lambda: runner.reports)
    process.end()
    assert await asyncio.wait_for(running, TIMEOUT_S) == 3
    assert runner.lines == ["up"]


async def test_a_process_that_does_not_become_ready_is_given_up(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never() -> bool:
        return False

    monkeypatch.setattr(process_module, "READY_S", 0.3)
    process = runner.process(SLEEP, ready=never)
    with pytest.raises(ProcessFailed, match=r"one was not ready within 0\.3 s"):
        await process.run()
    assert process.pid is None


async def test_ready_follows_the_probe(runner: Runner) -> None:
    calls = 0

    async def third_time() -> bool:
        nonlocal calls
        calls += 1
        return calls >= 3

    process = runner.process(SLEEP, ready=third_time)
    running = asyncio.create_task(process.run())
    await asyncio.wait_for(process.ready.wait(), TIMEOUT_S)
    assert calls == 3
    process.end()
    await running
    assert not process.ready.is_set()


async def test_children_end_with_the_process(runner: Runner) -> None:
    text = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    process = runner.process(text)
    running = asyncio.create_task(process.run())
    await eventually_async(lambda: runner.lines)
    child = psutil.Process(int(runner.lines[0]))
    process.kill()
    await running
    await eventually_async(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


async def test_warnings_are_reported_up_to_a_limit(runner: Runner) -> None:
    text = (
        "import sys\n"
        "print('2026-01-01 00:00:00,000 INFO    room: usual', file=sys.stderr)\n"
        "for i in range(100):\n"
        "    print('2026-01-01 00:00:00,000 WARNING room: odd', i, file=sys.stderr)\n"
        "print('x' * 100_000, file=sys.stderr)"
    )
    assert await runner.process(text, is_restarted=False).run() == 0
    assert runner.reports[0] == "one: room: odd 0"
    assert len(runner.reports) == process_module.SHOWN_LINES
    assert runner.log.read_text().count("odd") == 100


async def test_a_large_log_is_truncated(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_log_module, "MAX_LOG_BYTES", 100_000)
    text = "for i in range(20_000): print('a line of text', i)"
    assert await runner.process(text, is_restarted=False).run() == 0
    assert runner.log.stat().st_size < 100_000 + 2 * process_module.READ_BYTES
    assert runner.lines[-1] == "a line of text 19999"


async def test_a_full_disk_does_not_block_the_process(runner: Runner, tmp_path: Path) -> None:
    runner.log = tmp_path / "full.log"
    runner.log.symlink_to("/dev/full")
    text = "for i in range(20_000): print('a line of text', i)"  # more than a pipe holds
    process = runner.process(text, is_restarted=False)
    assert await asyncio.wait_for(process.run(), TIMEOUT_S) == 0
    assert runner.lines[-1] == "a line of text 19999"
    assert runner.reports == [
        f"one: its log {runner.log} cannot be written: No space left on device. Its output is not kept"
    ]


async def test_a_log_that_cannot_be_opened_ends_nothing(runner: Runner, tmp_path: Path) -> None:
    runner.log = tmp_path / "absent" / "one.log"
    assert await runner.process("print('out')", is_restarted=False).run() == 0
    assert runner.lines == ["out"]
    assert runner.reports[0].endswith("cannot be written: No such file or directory. Its output is not kept")
