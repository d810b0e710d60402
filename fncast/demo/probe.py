"""Checks over HTTP whether the processes are ready."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import aiohttp

from fncast.produce.events import build_window_event, to_kafka_record
from fncast.produce.windows import ProducedWindow
from fncast.series.step import Step

WARM_UP_CALLS = 4  # concurrent; more than a function has processes


def http_probe(http: aiohttp.ClientSession, url: str) -> Callable[[], Awaitable[bool]]:
    """Return a probe: it returns whether `url` answers with status 200."""

    async def probe() -> bool:
        try:
            async with http.get(url) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError, OSError):
            return False

    return probe


async def warm_up(http: aiohttp.ClientSession, functions_url: str, window: int) -> None:
    """Call each process of the function once. The FDK imports the function's code with the first call.

    window: how many readings the model needs.
    """
    now = datetime.now(UTC)
    readings = ProducedWindow("warm-up", 0, now, now, Step.seconds(1.0), [0.0] * window, None)
    event = build_window_event(readings, source="fncast/demo/warm-up", destination="forecast")
    message = to_kafka_record(event, "structured")
    headers = {name: value.decode() for name, value in message.headers.items()}

    async def call() -> None:
        with contextlib.suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with http.post(
                f"{functions_url}/t/fncast/forecast", data=message.value, headers=headers
            ) as response:
                await response.read()

    await asyncio.gather(*(call() for _ in range(WARM_UP_CALLS)))
