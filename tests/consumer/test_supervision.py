"""Background work that fails starts again."""

from __future__ import annotations

import asyncio

import pytest

from consumer.supervision import MAX_PAUSE_S, keep_running


class Clock:
    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_work_that_raises_is_logged_and_begins_again_with_a_longer_pause_each_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock, left = Clock(), [RuntimeError("a bug\nforged line")] * 8

    async def work() -> None:
        if left:
            raise left.pop()

    await keep_running("the report", work, clock.sleep)
    assert clock.slept == [1, 2, 4, 8, 16, 32, MAX_PAUSE_S, MAX_PAUSE_S]
    assert len(caplog.messages) == 8
    assert caplog.messages[0] == "the report has failed and restarts in 1 s: RuntimeError: a bug forged line"


async def test_work_that_is_cancelled_ends() -> None:
    task = asyncio.create_task(keep_running("the report", asyncio.Event().wait))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
