"""Deadlines of the events in one call: an event is skipped when it expires, and the call continues for the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from interceptor.builtin.expiry import EXPIRED, remaining_s
from interceptor.delivery import Delivery


@asynccontextmanager
async def skip_expired(deliveries: Sequence[Delivery], on_skip: Callable[[], None]) -> AsyncIterator[None]:
    """Skip deliveries that expire while the body runs. on_skip: called after each skip.

    Raises TimeoutError once all deliveries have an outcome, and what on_skip raises once the body has ended.
    """
    async with asyncio.timeout(None) as limit:
        watcher = asyncio.create_task(_watch(deliveries, on_skip, limit))
        try:
            yield
        finally:
            if watcher.done():
                watcher.result()  # raises the error that ended it
            watcher.cancel()


async def _watch(deliveries: Sequence[Delivery], on_skip: Callable[[], None], limit: asyncio.Timeout) -> None:
    """Skip each delivery when it expires. Ends the body once all deliveries have an outcome."""
    while waits_s := _waits_s(deliveries):
        await asyncio.sleep(min(waits_s.values()))
        for delivery in waits_s:
            if delivery.outcome is None and (remaining_s(delivery) or 0.0) <= 0:
                delivery.outcome = EXPIRED
        on_skip()
        if all(delivery.outcome is not None for delivery in deliveries):
            limit.reschedule(asyncio.get_running_loop().time())


def _waits_s(deliveries: Sequence[Delivery]) -> dict[Delivery, float]:
    """The seconds until each delivery without an outcome expires, without those that never expire."""
    waits_s = {}
    for delivery in deliveries:
        if delivery.outcome is None and (wait_s := remaining_s(delivery)) is not None:
            waits_s[delivery] = wait_s
    return waits_s
