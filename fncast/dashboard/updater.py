"""Keeps the page's state current: reads records and publishes what changed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

import orjson

from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.kafka.broker_state import BrokerState
from fncast.dashboard.state import PageState
from fncast.foreign_text import clean

log = logging.getLogger(__name__)

# Often enough to look live, and rare enough that a page with 50 series costs little.
UPDATE_S = 0.25
# Pause while there are no records.
IDLE_S = 0.05
# Batches to read before other tasks of the event loop get their turn.
BATCHES_PER_TURN = 4
# Pauses after unexpected errors.
RESTART_S = (1.0, 2.0, 5.0, 10.0, 30.0)
MAX_FAILURE = 300  # characters of an error


class RecordSource(Protocol):
    """Where records come from: `fncast.dashboard.kafka.reader.TopicReader`."""

    @property
    def state(self) -> BrokerState:
        """What is known about the broker."""

    def start(self) -> None:
        """Begin to read."""

    def close(self) -> None:
        """End reading. May block for some seconds."""

    def take(self, timeout_s: float = 0.0) -> list[ReceivedRecord]:
        """Return the next batch, or an empty list after `timeout_s`."""


class PageUpdater:
    """Moves records from the source to the page's state. Runs as one task of the event loop.

    failure: the last unexpected error, "" while updates work.
    """

    def __init__(self, source: RecordSource, page_state: PageState, clock: Callable[[], float]) -> None:
        """clock: seconds since 1970."""
        self.failure = ""
        self._source = source
        self._page_state = page_state
        self._clock = clock

    @contextlib.asynccontextmanager
    async def running(self, publish: Callable[[bytes], None]) -> AsyncIterator[None]:
        """Start the source and update until the block ends. If the block is cancelled, do not wait for the source.

        publish: gets the changes every UPDATE_S, as JSON.
        """
        self._source.start()
        task = asyncio.create_task(self._keep_updating(publish))
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await asyncio.to_thread(self._source.close)

    def snapshot(self) -> bytes:
        """The whole state as JSON."""
        now_s = self._clock()
        return orjson.dumps({**self._page_state.snapshot(now_s), **self._now(now_s)})

    async def _keep_updating(self, publish: Callable[[bytes], None]) -> None:
        """Update until cancelled. Restart after an error, with a pause that grows."""
        failures = 0
        while True:
            began_s = self._clock()
            try:
                await self._update(publish)
            except Exception as error:
                log.exception("The live page does not update. Trying again.")
                self.failure = clean(f"{type(error).__name__}: {error}", MAX_FAILURE)
            # An error after a long time without one has the shortest pause again.
            failures = failures + 1 if self._clock() - began_s < RESTART_S[-1] else 1
            await asyncio.sleep(RESTART_S[min(failures, len(RESTART_S)) - 1])

    async def _update(self, publish: Callable[[bytes], None]) -> None:
        due_s = self._clock()
        while True:
            for _ in range(BATCHES_PER_TURN):
                records = self._source.take()
                if not records:
                    break
                for record in records:
                    self._page_state.add(record, self._clock())
                await asyncio.sleep(0)
            now_s = self._clock()
            if not due_s - UPDATE_S <= now_s < due_s:  # it is due, or the clock was set back
                due_s = now_s + UPDATE_S
                publish(orjson.dumps({**self._page_state.take_changes(now_s), **self._now(now_s)}))
                self.failure = ""
            # After a full turn there are probably more records, so do not pause.
            await asyncio.sleep(0 if records else IDLE_S)

    def _now(self, now_s: float) -> dict[str, Any]:
        state = self._source.state
        broker = {
            "connected": state.connected,
            "since": state.since_s,
            "address": state.address,
            "problem": state.problem,
            "missing": [{"topic": topic, "reason": reason} for topic, reason in state.missing],
            "skipped": state.skipped,
        }
        return {"now": now_s, "broker": broker}
