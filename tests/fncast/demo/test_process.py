from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from fncast.demo import process as process_module
from fncast.demo import process_log as process_log_module
from fncast.demo.process import Process, ProcessFailed, Program

TIMEOUT_S = 10.0


class Stage:
    """Runs one Python text as a program and keeps what was told of it."""

    def __init__(self, folder: Path) -> None:
        self.told: list[str] = []
        self.lines: list[str] = []
        self.log = folder / "one.log"

    def process(self, text: str, *words: object, **options: object) -> Process:
        argv = [sys.executable, "-c", text, *map(str, words)]
        program = Program("one", argv, output=self.lines.append, **options)  # type: ignore[arg-type]
        return Process(program, self.log, lambda name, text: self.told.append(f"{name}: {text}"))


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


async def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, "did not come true in time"
        await asyncio.sleep(0.01)


SLEEP = "import time; print('up', flush=True); time.sleep(60)"


async def test_output_and_log(stage: Stage) -> None:
    text = "import sys; print('out'); print('é', end=''); print('err', file=sys.stderr)"
    assert await stage.process(text, restart=False).run() == 0
    assert stage.lines == ["out", "é"]
    assert all(word in stage.log.read_text() for word in ("out", "é", "err"))


async def test_a_line_that_cannot_be_used_is_told_and_the_next_ones_are_read(
    stage: Stage, tmp_path: Path
) -> None:
    def use(line: str) -> None:
        stage.lines.append(str(int(line)))

    program = Program("one", [sys.executable, "-c", "print('x'); print(7)"], output=use, restart=False)
    process = Process(program, tmp_path / "one.log", lambda name, text: stage.told.append(f"{name}: {text}"))
    assert await process.run() == 0
    assert stage.lines == ["7"]
    assert stage.told[0].startswith("one: a line of its output cannot be used (ValueError(")


async def test_a_killed_process_is_started_again(stage: Stage) -> None:
    process = stage.process(SLEEP)
    running = asyncio.create_task(process.run())
    await until(lambda: stage.lines)
    first = process.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: len(stage.lines) == 2)
    assert process.pid not in (None, first)
    assert process.restarts == 1
    assert stage.told == ["one: was ended by SIGKILL; starting it again"]
    process.end()
    assert await running == -signal.SIGTERM


async def test_one_that_dies_of_its_start_is_given_up_with_its_last_words(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "BACKOFF_S", (0.0,) * 4)
    process = stage.process("import sys; sys.exit('no such model')")
    with pytest.raises(
        ProcessFailed, match=r"(?s)one ended with exit code 1 4 times in a row.*no such model"
    ):
        await process.run()
    assert process.restarts == 3


async def test_ended_between_two_starts_it_is_not_started_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "BACKOFF_S", (60.0,) * 4)
    process = stage.process("print('up')\nraise SystemExit(3)")
    running = asyncio.create_task(process.run())
    await until(lambda: stage.told)
    process.end()
    assert await asyncio.wait_for(running, TIMEOUT_S) == 3
    assert stage.lines == ["up"]


async def test_one_that_never_gets_ready_is_given_up_and_ended(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never() -> bool:
        return False

    monkeypatch.setattr(process_module, "READY_S", 0.3)
    process = stage.process(SLEEP, ready=never)
    with pytest.raises(ProcessFailed, match=r"one was not ready within 0\.3 s"):
        await process.run()
    assert process.pid is None


async def test_ready_follows_the_probe_and_ends_with_the_process(stage: Stage) -> None:
    asked = 0

    async def third_time() -> bool:
        nonlocal asked
        asked += 1
        return asked >= 3

    process = stage.process(SLEEP, ready=third_time)
    running = asyncio.create_task(process.run())
    await asyncio.wait_for(process.ready.wait(), TIMEOUT_S)
    assert asked == 3
    process.end()
    await running
    assert not process.ready.is_set()


async def test_what_it_started_ends_with_it(stage: Stage) -> None:
    text = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "print(child.pid, flush=True); time.sleep(60)"
    )
    process = stage.process(text)
    running = asyncio.create_task(process.run())
    await until(lambda: stage.lines)
    child = psutil.Process(int(stage.lines[0]))
    process.kill()
    await running
    await until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


async def test_warnings_are_shown_but_not_a_flood_of_them(stage: Stage) -> None:
    text = (
        "import sys\n"
        "print('2026-01-01 00:00:00,000 INFO    room: usual', file=sys.stderr)\n"
        "for i in range(100):\n"
        "    print('2026-01-01 00:00:00,000 WARNING room: odd', i, file=sys.stderr)\n"
        "print('x' * 100_000, file=sys.stderr)"
    )
    assert await stage.process(text, restart=False).run() == 0
    assert stage.told[0] == "one: room: odd 0"
    assert len(stage.told) == process_module.SHOWN_LINES
    assert stage.log.read_text().count("odd") == 100


async def test_a_log_without_end_begins_anew(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_log_module, "MAX_LOG_BYTES", 100_000)
    text = "for i in range(20_000): print('a line of text', i)"
    assert await stage.process(text, restart=False).run() == 0
    assert stage.log.stat().st_size < 100_000 + 2 * process_module.READ_BYTES
    assert stage.lines[-1] == "a line of text 19999"


async def test_a_full_disk_does_not_block_the_process(stage: Stage, tmp_path: Path) -> None:
    stage.log = tmp_path / "full.log"
    stage.log.symlink_to("/dev/full")
    text = "for i in range(20_000): print('a line of text', i)"  # more than a pipe holds
    process = stage.process(text, restart=False)
    assert await asyncio.wait_for(process.run(), TIMEOUT_S) == 0
    assert stage.lines[-1] == "a line of text 19999"
    assert stage.told == [
        f"one: its log {stage.log} cannot be written: No space left on device. Its output is not kept"
    ]


async def test_a_log_that_cannot_be_opened_ends_nothing(stage: Stage, tmp_path: Path) -> None:
    stage.log = tmp_path / "absent" / "one.log"
    assert await stage.process("print('out')", restart=False).run() == 0
    assert stage.lines == ["out"]
    assert stage.told[0].endswith("cannot be written: No such file or directory. Its output is not kept")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_child_ends_when_its_parent_does_however_that_ends(
    number: signal.Signals, tmp_path: Path
) -> None:
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
    child_process = psutil.Process(int(await asyncio.wait_for(process.stdout.readline(), TIMEOUT_S)))
    process.send_signal(number)
    await process.wait()
    await until(lambda: not child_process.is_running())
