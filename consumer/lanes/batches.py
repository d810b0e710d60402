"""The batches that the interceptor chain works on: taken from the lanes, and taken back when the chain is done."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from consumer.lanes.lane import Lane
from consumer.lanes.lanes import BatchPart, Lanes
from interceptor.chain import Chain, mark_done
from interceptor.delivery import Batch

RETRY_S = 0.25  # before the chain gets a delivery again that it left unsettled


@dataclass(frozen=True)
class Batching:
    """events: the most in one batch. in_flight: function calls at the same time.

    linger_s: how long a batch waits for more events while the chain has another one.
    """

    events: int = 512
    in_flight: int = 4
    linger_s: float = 0.005


class Batches:
    """The batches that the chain has. Used by the loop's thread only; the chain runs in the event loop."""

    def __init__(
        self,
        lanes: Lanes,
        chain: Chain,
        event_loop: asyncio.AbstractEventLoop,
        batching: Batching,
        wake: Callable[[], None],
        is_joined: bool = False,
    ) -> None:
        """wake: called in the event loop when a batch is done. is_joined: whether the chain joins its inputs. Then it
        gets one batch at a time, and unsettled deliveries again as soon as others are settled or records arrive.
        """
        self._lanes = lanes
        self._chain = chain
        self._event_loop = event_loop
        self._batching = batching
        self._wake = wake
        self._is_joined = is_joined
        self._running: dict[Future[Batch], list[BatchPart]] = {}
        self._unsettled: list[BatchPart] = []
        self._retry_at_s = 0.0
        self._waiting_since_s: float | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the chain has no batch."""
        return not self._running

    def has_any_of(self, lanes: Sequence[Lane]) -> bool:
        """Whether the chain still has deliveries of these lanes."""
        return any(lane in lanes for parts in self._running.values() for lane, _ in parts)

    def records_arrived(self) -> None:
        """The lanes have new records: `submit` takes them."""
        self._waiting_since_s = self._waiting_since_s or time.monotonic()
        if self._is_joined:
            self._retry_at_s = 0.0

    def idle_s(self, now_s: float, most_s: float) -> float:
        """How long the loop may wait for records: up to `most_s`, less if a retry is due earlier."""
        return max(0.0, min(most_s, self._retry_at_s - now_s)) if self._unsettled else most_s

    def submit(self) -> None:
        """Give the chain its next batches: at once if it is idle; else when a batch is full, or after the linger."""
        now_s = time.monotonic()
        # A chain that joins its inputs needs them in order, so wait for those that a running batch may leave unsettled.
        can_retry = not (self._is_joined and self._running)
        if self._unsettled and can_retry and now_s >= self._retry_at_s:
            for lane, deliveries in self._unsettled:
                lane.put_back(deliveries)
            self._unsettled.clear()
            self._waiting_since_s = self._waiting_since_s or now_s
        while self._waiting_since_s is not None and self._has_room():
            waiting = self._lanes.waiting()
            is_early = (
                waiting < self._batching.events and now_s - self._waiting_since_s < self._batching.linger_s
            )
            if self._running and is_early and waiting:
                return
            if waiting:
                self._start(self._lanes.take(self._batching.events))
            if waiting <= self._batching.events:
                self._waiting_since_s = None

    def submit_now(self, lanes: Sequence[Lane]) -> None:
        """Give the chain the waiting deliveries of these lanes, in one batch."""
        parts = [(lane, lane.take(len(lane.waiting))) for lane in lanes if lane.waiting and not lane.is_held]
        if parts:
            self._start(parts)

    def collect(self) -> None:
        """Take back the batches that the chain is done with, and mark their settled deliveries as done.

        Raises what the chain raised.
        """
        for future in [future for future in self._running if future.done()]:
            parts = self._running.pop(future)
            future.result()
            mark_done([delivery for _, deliveries in parts for delivery in deliveries])
            for lane, deliveries in parts:
                unsettled = [delivery for delivery in deliveries if not delivery.is_done]
                if unsettled and not lane.is_dropped:
                    self._unsettled.append((lane, unsettled))
                    self._retry_at_s = time.monotonic() + RETRY_S
            if self._is_joined and any(each.is_done for _, deliveries in parts for each in deliveries):
                self._retry_at_s = 0.0  # an unsettled delivery may have waited for these

    def cancel(self) -> None:
        """Forget all batches."""
        for future in self._running:
            future.cancel()
        self._running.clear()

    def _has_room(self) -> bool:
        """Whether the chain takes another batch.

        The chain takes one batch for each call in flight. It takes as many full batches more, so that it reads their
        records while they wait for a call.
        """
        if self._is_joined:
            return not self._running
        batches, calls = len(self._running), self._batching.in_flight
        return batches < calls or (batches < 2 * calls and self._lanes.waiting() >= self._batching.events)

    def _start(self, parts: list[BatchPart]) -> None:
        batch = Batch([delivery for _, deliveries in parts for delivery in deliveries])
        future = asyncio.run_coroutine_threadsafe(self._chain.on_consume(batch), self._event_loop)
        self._running[future] = parts
        future.add_done_callback(lambda _: self._wake())
