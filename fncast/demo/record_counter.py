"""Reads the demo's topics and counts their records."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fncast.dashboard.kafka.reader import TopicReader
from fncast.demo.settings_text import FETCH_WAIT_MS
from fncast.demo.summary import DemoSummary
from fncast.demo.topics import DEAD_LETTER_TOPIC, INPUT_TOPIC, OUTPUT_TOPIC, READINGS_TOPIC

COUNT_S = 0.1
SETTLE_S = 0.5  # the reader hands over records every 0.2 s


class RecordCounter:
    """Counts in a task of the event loop. Owns the reader.

    summary: the counts so far.
    """

    def __init__(self) -> None:
        self.summary = DemoSummary(INPUT_TOPIC, OUTPUT_TOPIC, DEAD_LETTER_TOPIC, READINGS_TOPIC)
        self._reader: TopicReader | None = None
        self._counting: asyncio.Task[None] | None = None

    def start(self, servers: str, on_failure: Callable[[BaseException], None]) -> None:
        """Start to read and count. on_failure: gets the exception that ended counting."""
        properties = {"bootstrap.servers": servers, "fetch.wait.max.ms": str(FETCH_WAIT_MS)}
        topics = [INPUT_TOPIC, READINGS_TOPIC, OUTPUT_TOPIC, DEAD_LETTER_TOPIC]
        self._reader = TopicReader(properties, topics, None)
        self._reader.start()

        def report(task: asyncio.Task[None]) -> None:
            if not task.cancelled() and (error := task.exception()) is not None:
                on_failure(error)

        self._counting = asyncio.create_task(self._count_continuously(), name="counting")
        self._counting.add_done_callback(report)

    async def wait_for_pending(self) -> None:
        """Wait until all events have an outcome. Returns at once if nothing is counted."""
        if self._counting is None:
            return
        await asyncio.sleep(SETTLE_S)
        while self.summary.pending:  # noqa: ASYNC110  # another thread reads the records
            await asyncio.sleep(COUNT_S / 2)

    async def wait_for_forecast(self) -> None:
        """Wait until a forecast is counted."""
        while not self.summary.forecasts:  # noqa: ASYNC110  # another thread reads the records
            await asyncio.sleep(COUNT_S)

    async def close(self) -> None:
        """Stop counting, and count the records that were read before."""
        if self._counting is not None:
            self._counting.cancel()
        if self._reader is not None:
            await asyncio.to_thread(self._reader.close)
            self._count()

    async def _count_continuously(self) -> None:
        while True:
            self._count()
            await asyncio.sleep(COUNT_S)

    def _count(self) -> None:
        while self._reader is not None and (batch := self._reader.take()):
            for record in batch:
                self.summary.add(record)
