"""Publishes a load for a running pipeline, and waits until the pipeline has processed it."""

from __future__ import annotations

import asyncio
import time
from itertools import islice

from benchmarks.lib.load import Load, publish
from benchmarks.lib.run import Run

MAX_EVENTS = 10**9  # more than any run publishes


class Loader:
    """Publishes events in the order of their numbers. offered: the number of events published so far."""

    def __init__(self, servers: str, topic: str, run: Run) -> None:
        self.offered = 0
        self._servers = servers
        self._topic = topic
        self._run = run
        self._records = Load(MAX_EVENTS).records()

    async def offer(self, count: int, per_s: float | None = None) -> float:
        """Publish `count` events. Returns the seconds until the last has its forecast. Raises ProcessFailed."""
        self.offered += count
        events = list(islice(self._records, count))
        started_s = time.monotonic()
        await asyncio.to_thread(publish, self._servers, self._topic, events, per_s)
        await self._run.drain()
        return time.monotonic() - started_s
