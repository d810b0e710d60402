"""Restarts background work that fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger("fncast.consumer")

FIRST_PAUSE_S, MAX_PAUSE_S = 1.0, 60.0


async def keep_running(
    name: str,
    work: Callable[[], Awaitable[None]],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Do the work. If it raises, log the error and start it again after a pause, doubled each time up to a minute.

    Returns when the work returns. name: for the log, for example "the route check".
    """
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            await work()
            return
        except Exception as error:
            reason = " ".join(str(error).split())[:300]
            message = "%s has failed and restarts in %g s: %s: %s"
            log.error(message, name, pause_s, type(error).__name__, reason, exc_info=True)
        await sleep(pause_s)
        pause_s = min(2 * pause_s, MAX_PAUSE_S)
