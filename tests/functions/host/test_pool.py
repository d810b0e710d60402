"""Pools of real FDK processes: failures that they survive, and how they end."""

import asyncio
import contextlib
import itertools
import os
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from functions.host import pool as pool_module
from functions.host.errors import Busy, CallFailed, CallTimedOut, NotStarted
from tests.functions.host.running_pool import Open, call
from tests.waiting import eventually_async

pytestmark = pytest.mark.integration

# A process of a pool takes longer to start than some calls may wait.
START_S = 60


async def test_one_call_at_a_time_per_process(open_pool: Open) -> None:
    pool = await open_pool(size=2)
    answers = await asyncio.gather(*(call(pool, sleep_s=0.05) for _ in range(8)))
    by_process: dict[int, list[tuple[float, float]]] = {}
    for answer in answers:
        by_process.setdefault(answer["pid"], []).append((answer["began"], answer["ended"]))
    for times in by_process.values():
        times.sort()
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(times))


async def test_two_processes_work_at_the_same_time(open_pool: Open, tmp_path: Path) -> None:
    """Each call ends only once the other has begun."""
    pool = await open_pool(size=2)
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    first, second = await asyncio.gather(
        call(pool, touch=one, wait_for=two), call(pool, touch=two, wait_for=one)
    )
    assert first["pid"] != second["pid"]


async def test_a_killed_process_is_replaced_before_the_next_call(open_pool: Open) -> None:
    pool = await open_pool()
    for _ in range(3):
        pid = (await call(pool))["pid"]
        os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):  # dead, but the event loop has not noticed yet
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # noqa: ASYNC222  # blocks on purpose
        assert (await call(pool))["pid"] != pid


async def test_a_new_configuration_is_logged_once_and_processes_that_end_by_themselves_each(
    open_pool: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "functions")
    pool = await open_pool(size=2)
    await eventually_async(lambda: len(pool.pids) == 2)
    first = set(pool.pids)
    pool.configure({"COLOUR": "red"})
    await eventually_async(lambda: len(set(pool.pids) - first) == 2)
    assert [record.message for record in caplog.records] == [
        f"function {pool.folder.name}: new configuration, its processes are replaced"
    ]
    os.kill(pool.pids[0], signal.SIGKILL)
    await eventually_async(lambda: "ended with exit code -9" in caplog.text)


async def test_a_process_that_starts_while_the_configuration_changes_is_replaced(open_pool: Open) -> None:
    pool = await open_pool()
    await asyncio.sleep(0)  # the process begins to start with the first configuration
    pool.configure({"COLOUR": "red"})
    assert (await call(pool))["config"] == "red"


async def test_a_process_that_ends_during_a_call_fails_only_that_call(open_pool: Open) -> None:
    pool = await open_pool()
    with pytest.raises(CallFailed):
        await call(pool, exit=True)
    assert (await call(pool))["config"] == "green"


async def test_a_timeout_ends_the_process_and_the_next_call_gets_a_new_one(open_pool: Open) -> None:
    pool = await open_pool(timeout_s=1)
    await eventually_async(lambda: pool.is_ready, START_S)
    pid = (await call(pool))["pid"]
    with pytest.raises(CallTimedOut):
        await call(pool, sleep_s=30)
    await eventually_async(lambda: not psutil.pid_exists(pid))
    await eventually_async(lambda: pool.is_ready, START_S)
    assert (await call(pool))["pid"] != pid


async def test_a_failed_start_fails_calls_at_once_and_is_retried(
    open_pool: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "fdk.py").write_text("raise SystemExit(3)")
    monkeypatch.setenv("PYTHONPATH", str(broken))
    pool = await open_pool()
    with pytest.raises(NotStarted, match="exit code 3"):
        await call(pool)
    (broken / "fdk.py").unlink()
    await eventually_async(lambda: pool.is_ready)
    assert (await call(pool))["config"] == "green"


async def test_waiting_calls_are_bounded(
    open_pool: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "MAX_WAITING", 1)
    pool = await open_pool()
    await call(pool)
    running = asyncio.create_task(call(pool, wait_for=str(tmp_path / "go")))
    waiting = asyncio.create_task(call(pool))
    await eventually_async(lambda: pool.waiting == 1)
    with pytest.raises(Busy):
        await call(pool)
    (tmp_path / "go").touch()
    assert (await running)["pid"] == (await waiting)["pid"]


async def test_a_call_waits_at_most_for_the_functions_timeout(open_pool: Open) -> None:
    pool = await open_pool(timeout_s=1)
    await eventually_async(lambda: pool.is_ready, START_S)
    running = asyncio.create_task(call(pool, sleep_s=0.9))
    others = [asyncio.create_task(call(pool, sleep_s=0.9)) for _ in range(3)]
    results = await asyncio.gather(running, *others, return_exceptions=True)
    assert [type(result) for result in results].count(Busy) >= 1
    await eventually_async(
        lambda: pool.is_ready, START_S
    )  # a slow call may have timed out, which ends its process
    assert (await call(pool))["config"] == "green"


async def test_close_ends_a_call_in_progress_and_every_process(open_pool: Open) -> None:
    pool = await open_pool(size=2)
    pid = (await call(pool))["pid"]
    running = asyncio.create_task(call(pool, sleep_s=30))
    await eventually_async(lambda: pool.idle < len(pool.pids) == 2)
    async with asyncio.timeout(20):  # not the 30 s of the call
        await pool.close()
    assert not psutil.pid_exists(pid)
    with pytest.raises(CallFailed):
        await running


async def test_a_function_recovers_when_its_folder_is_back(
    open_pool: Open, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pool = await open_pool(size=2)
    await call(pool)
    await eventually_async(lambda: len(pool.pids) == 2)
    away = tmp_path.with_name(tmp_path.name + "-away")
    tmp_path.rename(away)  # noqa: ASYNC240
    try:
        for pid in pool.pids:
            os.killpg(pid, signal.SIGKILL)
        await eventually_async(lambda: caplog.text.count("does not start") >= 2)
        with pytest.raises(NotStarted, match="No such file or directory"):
            await call(pool)
    finally:
        away.rename(tmp_path)
    await eventually_async(lambda: pool.is_ready)
    assert (await call(pool))["config"] == "green"
    assert str(tmp_path) in caplog.text
    assert not any(record.exc_info for record in caplog.records)


async def test_no_error_ends_the_task_that_keeps_a_process_running(
    open_pool: Open, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pool_module, "MAX_BACKOFF_S", 0.1)
    real, faults = (
        pool_module.start_process,
        [MemoryError("a bug"), PermissionError(13, "denied"), KeyError("x")],
    )

    async def faulty(*arguments: Any) -> Any:
        if faults:
            raise faults.pop()
        return await real(*arguments)

    monkeypatch.setattr(pool_module, "start_process", faulty)
    pool = await open_pool()
    await eventually_async(lambda: pool.is_ready)
    assert (await call(pool))["config"] == "green"
    assert caplog.text.count("keeping its process running failed") == 3
