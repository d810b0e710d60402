"""The loop: poll → chain → publish → commit. One thread does all that touches Kafka; the chain runs in an event loop.

Calls overlap, results are published in input order per partition, offsets are committed only up to the last result
that is safe with the broker. Everything is bounded: lanes by events and bytes, batches in flight by `calls_in_flight`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from consumer import metrics
from consumer.errors import TransactionAborted
from consumer.kafka_source import CommitFailed, KafkaSource, Partition
from consumer.lane import Lane
from consumer.publisher import Publisher
from consumer.results import Results
from interceptor.chain import Chain
from interceptor.delivery import Batch, Delivery

log = logging.getLogger("fncast.consumer")

IDLE_POLL_S = 0.2  # nothing in flight: a record ends the wait at once
BUSY_POLL_S = 0.001  # something in flight: its result ends the wait at once, a record after this
POLL_EVENTS = 500  # some 400 kB; more at once gains nothing
PAUSE_AFTER_S = 0.2  # a lane that is full for longer is paused; shorter ones are not worth a new fetch
RETRY_S = 0.25  # unsettled deliveries are given to the chain again
COMMIT_S = 0.05  # results are safe, and seen by readers of committed records, after about this
COMMIT_EVENTS = 4096  # or as soon as so many are published
REVOKE_S = (
    5.0  # what is in flight when a partition is revoked is finished within this, or dropped uncommitted
)
STOP_S = 3.0  # likewise on a stop
LAG_S = 2.0

Part = tuple[Lane, list[Delivery]]


class Loop:
    """One consumer. `run` blocks its thread; `stop` may be called from any."""

    def __init__(
        self,
        source: KafkaSource,
        publisher: Publisher,
        results: Results,
        chain: Chain,
        event_loop: asyncio.AbstractEventLoop,
        *,
        batch_events: int,
        batches_in_flight: int,
        linger_s: float,
    ) -> None:
        self._source = source
        self._publisher = publisher
        self._results = results
        self._chain = chain
        self._event_loop = event_loop
        self._batch_events = batch_events
        self._batches_in_flight = batches_in_flight
        self._linger_s = linger_s
        self._lanes: dict[Partition, Lane] = {}
        self._batches: dict[Future[Batch], list[Part]] = {}
        self._unsettled: list[Part] = []
        self._retry_at_s = 0.0
        self._waiting_since_s: float | None = None
        self._committing: Future[None] | None = None
        self._commit_lanes: list[Lane] = []
        self._commit_at_s = 0.0
        self._lag_at_s = 0.0
        self._finisher = ThreadPoolExecutor(1, "finish")
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self.polled_at_s = time.monotonic()

    def run(self, topics: Sequence[str]) -> None:
        """Consume until `stop`. Raises ConsumerError, or what an interceptor raised; then nothing more is committed."""
        self._publisher.start()
        self._source.subscribe(topics, self._assigned, self._revoked, self._lost)
        try:
            while not self._stopping.is_set():
                self._receive()
                self._submit()
                self._collect()
                self._publish()
                self._commit()
            self._settle_all(list(self._lanes.values()), STOP_S)
        finally:
            for future in self._batches:
                future.cancel()
            self._finisher.shutdown()
            self._publisher.close()
            self._source.close()

    def stop(self) -> None:
        """Finish or give back what is in flight, commit, leave the group, and return from `run`."""
        self._stopping.set()
        self._wake.set()

    @property
    def assigned(self) -> list[Partition]:
        return list(self._lanes)

    # One turn of the loop, in the order of the event's way.

    def _receive(self) -> None:
        """Poll into the lanes, unless one has no room; a lane without room for long is paused, so polling goes on."""
        now_s = time.monotonic()
        if self._has_room(now_s):
            is_busy = bool(self._batches or self._committing or self._unsettled or self._has_published())
            timeout_s = 0 if is_busy else IDLE_POLL_S
            records = self._source.poll(POLL_EVENTS, timeout_s)
            self.polled_at_s = now_s
            if records:
                self._source.heard()
                lanes = self._lanes
                for record in records:
                    lane = lanes.get((record.topic, record.partition))
                    if (
                        lane is not None
                    ):  # revoked while its records were on their way: its next owner has them
                        lane.add(Delivery(record))
                if self._waiting_since_s is None:
                    self._waiting_since_s = now_s
                return
            if not is_busy:
                return
        self._wake.wait(BUSY_POLL_S)
        self._wake.clear()

    def _has_room(self, now_s: float) -> bool:
        has_room = True
        for key, lane in self._lanes.items():
            if lane.is_paused:
                if lane.has_room_again:
                    self._source.resume([key])
                    lane.is_paused, lane.full_since_s = False, None
            elif not lane.is_full:
                lane.full_since_s = None
            elif lane.full_since_s is None:
                lane.full_since_s, has_room = now_s, False
            elif now_s - lane.full_since_s < PAUSE_AFTER_S:
                has_room = False
            else:
                self._source.pause([key])
                lane.is_paused = True
        return has_room

    def _submit(self) -> None:
        """Give the chain its next batches: at once when it is idle, full or after the linger when it is not."""
        now_s = time.monotonic()
        if self._unsettled and now_s >= self._retry_at_s:
            for lane, deliveries in reversed(self._unsettled):
                lane.put_back(deliveries)
            self._unsettled.clear()
            self._waiting_since_s = self._waiting_since_s or now_s
        while self._waiting_since_s is not None and len(self._batches) < self._batches_in_flight:
            waiting = sum(len(lane.waiting) for lane in self._lanes.values())
            if not waiting:
                self._waiting_since_s = None
                return
            if (
                self._batches
                and waiting < self._batch_events
                and now_s - self._waiting_since_s < self._linger_s
            ):
                return
            parts = self._take()
            batch = Batch([delivery for _, deliveries in parts for delivery in deliveries])
            future = asyncio.run_coroutine_threadsafe(self._chain.on_consume(batch), self._event_loop)
            self._batches[future] = parts
            future.add_done_callback(lambda _: self._wake.set())
            if waiting <= len(batch.deliveries):
                self._waiting_since_s = None

    def _take(self) -> list[Part]:
        """A batch of what waits, shared out among the lanes."""
        lanes = [lane for lane in self._lanes.values() if lane.waiting]
        share = max(1, self._batch_events // len(lanes))
        parts = [(lane, lane.take(share)) for lane in lanes[: self._batch_events]]
        left = self._batch_events - sum(len(deliveries) for _, deliveries in parts)
        for lane, deliveries in parts:
            more = lane.take(left)
            deliveries += more
            left -= len(more)
        return parts

    def _collect(self) -> None:
        """Take back the batches that the chain has done. Raises what it raised."""
        for future in [future for future in self._batches if future.done()]:
            parts = self._batches.pop(future)
            future.result()
            for lane, deliveries in parts:
                unsettled = []
                for delivery in deliveries:
                    if delivery.outcome is None:
                        unsettled.append(delivery)
                    else:
                        delivery.is_done = True
                if unsettled and not lane.is_revoked:
                    self._unsettled.append((lane, unsettled))
                    self._retry_at_s = time.monotonic() + RETRY_S

    def _publish(self) -> None:
        """Publish what is settled, in order; not while a commit is under way, which covers what came before it."""
        if self._committing is not None:
            return
        for lane in self._lanes.values():
            for delivery in lane.settled():
                self._results.publish(delivery)
        self._results.flush_counts()

    def _commit(self) -> None:
        """Begin a commit when it is due; see to one that has ended."""
        now_s = time.monotonic()
        if now_s >= self._lag_at_s:
            self._lag_at_s = now_s + LAG_S
            self._measure()
        if self._committing is not None:
            if self._committing.done():
                self._end_commit()
        elif self._has_published() and (
            now_s >= self._commit_at_s
            or sum(len(lane.published) for lane in self._lanes.values()) >= COMMIT_EVENTS
        ):
            self._begin_commit()

    def _has_published(self) -> bool:
        return any(lane.published for lane in self._lanes.values())

    def _begin_commit(self) -> None:
        lanes = [lane for lane in self._lanes.values() if lane.published]
        self._commit_lanes = lanes
        self._committing = self._finisher.submit(
            self._publisher.finish, next_offsets(lanes), self._source.group_metadata()
        )
        self._committing.add_done_callback(lambda _: self._wake.set())

    def _end_commit(self) -> None:
        committing, lanes = self._committing, self._commit_lanes
        assert committing is not None
        self._committing, self._commit_lanes = None, []
        self._commit_at_s = time.monotonic() + COMMIT_S
        offsets = next_offsets(lanes)
        try:
            committing.result()
            if not self._publisher.commits_offsets:
                self._source.commit(offsets)
        except TransactionAborted as abort:
            log.warning(
                "the transaction was aborted (%s); its %d results are published again", abort, total(lanes)
            )
            metrics.COMMITS.labels("aborted").inc()
            for lane in lanes:
                lane.aborted()
            return
        except CommitFailed as failure:
            # The results are out and stay so; these offsets, or later ones, are committed the next time.
            log.warning("offsets were not committed: %s", failure)
            metrics.COMMITS.labels("failed").inc()
            return
        metrics.COMMITS.labels("committed").inc()
        for lane in lanes:
            lane.committed()
        self._chain.on_commit(offsets)

    def _measure(self) -> None:
        metrics.IN_FLIGHT.set(
            sum(len(lane.unpublished) + len(lane.published) for lane in self._lanes.values())
        )
        for topic, partition in self._lanes:
            lag = self._source.lag((topic, partition))
            if lag is not None:
                metrics.LAG.labels(topic, partition).set(lag)

    # The group's doing: these run inside `poll`, in the loop's thread.

    def _assigned(self, partitions: list[Partition]) -> None:
        for partition in partitions:
            self._lanes[partition] = Lane(*partition)
        if partitions:
            log.info("assigned %s", names(partitions))

    def _revoked(self, partitions: list[Partition]) -> None:
        self._settle_all([self._lanes[p] for p in partitions if p in self._lanes], REVOKE_S)
        self._drop(partitions)
        log.info("revoked %s", names(partitions))

    def _lost(self, partitions: list[Partition]) -> None:
        self._drop(partitions)
        log.warning("lost %s to another member; what was in flight is dropped uncommitted", names(partitions))

    def _drop(self, partitions: list[Partition]) -> None:
        for topic, partition in partitions:
            lane = self._lanes.pop((topic, partition), None)
            if lane is not None:
                lane.is_revoked = True
                metrics.LAG.remove(topic, partition)

    def _settle_all(self, lanes: list[Lane], within_s: float) -> None:
        """Finish what the chain has of these lanes, publish and commit it; drop the rest uncommitted."""
        deadline_s = time.monotonic() + within_s
        for lane in lanes:
            lane.waiting.clear()

        def is_busy() -> bool:
            in_chain = any(lane in lanes for parts in self._batches.values() for lane, _ in parts)
            return in_chain or self._committing is not None or any(lane.published for lane in lanes)

        while is_busy() and time.monotonic() < deadline_s:
            self._collect()
            self._publish()
            if self._committing is None and self._has_published():
                self._begin_commit()
            self._wake.wait(BUSY_POLL_S)
            self._wake.clear()
            if self._committing is not None and self._committing.done():
                self._end_commit()


def next_offsets(lanes: Sequence[Lane]) -> dict[Partition, int]:
    return {
        (lane.topic, lane.partition): lane.published[-1].record.offset + 1 for lane in lanes if lane.published
    }


def total(lanes: Sequence[Lane]) -> int:
    return sum(len(lane.published) for lane in lanes)


def names(partitions: Sequence[Partition]) -> str:
    return ", ".join(f"{topic}/{partition}" for topic, partition in sorted(partitions)) or "nothing"
