"""Deadlines of the events of one call: each is skipped when its time has come, and the call goes on for the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from interceptor.builtin.expiry import EXPIRED, left_s
from interceptor.delivery import Delivery


@asynccontextmanager
async def kept(piece: Sequence[Delivery], tell: Callable[[], None]) -> AsyncIterator[None]:
    """Skip those of `piece` that expire while the body runs, and `tell` so. Raises TimeoutError once none is left."""
    async with asyncio.timeout(None) as limit:
        watch = asyncio.create_task(_watch(piece, tell, limit))
        try:
            yield
        finally:
            watch.cancel()


async def _watch(piece: Sequence[Delivery], tell: Callable[[], None], limit: asyncio.Timeout) -> None:
    while lefts := {d: left for d in piece if d.outcome is None and (left := left_s(d)) is not None}:
        await asyncio.sleep(min(lefts.values()))
        for delivery in lefts:
            if delivery.outcome is None and (left_s(delivery) or 0.0) <= 0:
                delivery.outcome = EXPIRED
        tell()
        if all(delivery.outcome is not None for delivery in piece):
            limit.reschedule(asyncio.get_running_loop().time())
