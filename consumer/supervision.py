"""Background work that must not end unnoticed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger("fncast.consumer")

FIRST_S, MOST_S = 1.0, 60.0


async def kept_running(
    name: str,
    work: Callable[[], Awaitable[None]],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Do the work; where it raises, log that and begin it again after a pause, doubled each time up to a minute.

    Returns when the work returns. name: for the log, as "the route check"."""
    pause_s = FIRST_S
    while True:
        try:
            await work()
            return
        except Exception as error:
            reason = " ".join(str(error).split())[:300]
            told = "%s has failed and begins again in %g s: %s: %s"
            log.error(told, name, pause_s, type(error).__name__, reason, exc_info=True)
        await sleep(pause_s)
        pause_s = min(2 * pause_s, MOST_S)
