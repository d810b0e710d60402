"""The task that skips events which expire during a call."""

from __future__ import annotations

import asyncio

import pytest

from interceptor.builtin.deadline import skip_expired
from tests.interceptor.deliveries import new_delivery


async def test_an_error_of_the_task_is_raised_once_the_call_has_ended() -> None:
    skipped = asyncio.Event()

    def on_skip() -> None:
        skipped.set()
        raise RuntimeError("a bug")

    deliveries = [new_delivery(1, expirytime="2000-01-01T00:00:00Z"), new_delivery(2)]

    async def call() -> None:
        async with skip_expired(deliveries, on_skip):
            await asyncio.wait_for(skipped.wait(), 10)
            await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="a bug"):
        await call()
