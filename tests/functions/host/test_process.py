"""Real FDK processes: what they get, and what they return."""

import asyncio
import time

import psutil
import pytest

from tests.functions.host.running_pool import FUNCTION, Open, call
from tests.waiting import eventually_async

pytestmark = pytest.mark.integration


async def test_a_function_gets_fns_variables_and_headers(
    open_pool: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "of the host")
    answer = await call(await open_pool())
    assert answer["config"] == "green"
    assert answer["secret"] is None
    assert answer["headers"]["ce-id"] == "1"
    app_id, function_id, call_id, deadline = answer["fn"]
    assert (app_id, function_id, call_id) == ("app-id", "fn-id", "call-id")
    assert time.strptime(deadline, "%Y-%m-%dT%H:%M:%SZ")


async def test_an_exception_is_an_answer_and_keeps_the_process(open_pool: Open) -> None:
    pool = await open_pool()
    pid = (await call(pool))["pid"]
    answer = await pool.call({}, b'{"raise": 1}')
    assert (answer.status, answer.body) == (502, b"no")
    assert (await call(pool))["pid"] == pid


async def test_a_crash_at_import_is_an_answer(open_pool: Open) -> None:
    pool = await open_pool(source="import absent_module\n")
    answer = await pool.call({}, b"{}")
    assert answer.status == 502
    assert b"absent_module" in answer.body


async def test_an_idle_connection_is_closed_before_the_fdk_spins(open_pool: Open) -> None:
    pool = await open_pool()
    process = psutil.Process((await call(pool))["pid"])

    def connections() -> int:
        return sum("lsnr.sock" in connection.laddr for connection in process.net_connections("unix"))

    await eventually_async(lambda: connections() == 1, within_s=5)  # the listening socket stays
    assert (await call(pool))["pid"] == process.pid


async def test_printed_lines_are_cleaned_and_have_the_functions_name(
    open_pool: Open, capfd: pytest.CaptureFixture[str]
) -> None:
    source = FUNCTION.replace(
        "    answer = {", "    print('\\x1b[2J\\x9b1mforged\\r' + 'x' * 5000)\n    answer = {"
    )
    await call(await open_pool(source=source))
    shown = ""
    async with asyncio.timeout(10):
        while "forged" not in shown or not shown.endswith("\n"):
            await asyncio.sleep(0.01)
            shown += capfd.readouterr().err
    lines = [line for line in shown.splitlines() if "forged" in line or "xxx" in line]
    assert lines
    assert all(line.startswith("f: ") and line.isprintable() and len(line) < 2100 for line in lines)
