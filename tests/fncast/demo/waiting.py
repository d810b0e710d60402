"""Waits for a condition in an event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

TIMEOUT_S = 10.0


async def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        await asyncio.sleep(0.01)
