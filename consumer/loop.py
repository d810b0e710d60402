"""The loop: poll → chain → publish → commit. One thread does all that touches Kafka; the chain runs in an event loop.

Calls overlap, results are published in input order per partition, offsets are committed only up to the last result
that is safe with the broker. Everything is bounded: lanes by events and bytes, batches in flight by a setting.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from consumer import metrics
from consumer.commits import Commits
from consumer.dead_letter_watch import DeadLetterWatch
from consumer.errors import GaveUp, NotPublished
from consumer.kafka_source import COMMITTED_S, KafkaSource
from consumer.lane import Lane, Partition
from consumer.lanes import Lanes, Part
from consumer.publisher import Publisher
from consumer.results import Results
from consumer.topics import Topics
from interceptor.chain import Chain
from interceptor.delivery import Batch

log = logging.getLogger("fncast.consumer")

IDLE_POLL_S = 0.2  # nothing in flight: a record ends the wait at once
BUSY_WAIT_S = 0.001  # something in flight: its result ends the wait at once, a record after this
POLL_EVENTS = 500  # some 400 kB; more at once gains nothing
RETRY_S = 0.25  # what the chain left unsettled is given to it again
REVOKE_S = (
    5.0  # what is in flight when a partition is revoked is finished within this, or dropped uncommitted
)
STOP_S = 2.0  # likewise on a stop, which takes less than 5 s in all
CLOSE_S = 0.5
START_RETRY_S = 0.5
MEASURE_S = 2.0
# Partitions that were lost come back within a few seconds of the broker. A client was seen that never joined again.
REJOIN_S = 45.0


@dataclass(frozen=True)
class Batching:
    """events: in a batch, at most. in_flight: calls at once. linger_s: wait for more while busy."""

    events: int = 512
    in_flight: int = 4
    linger_s: float = 0.005


class Loop:
    """One consumer. `run` blocks its thread; `stop` may be called from any."""

    def __init__(
        self,
        source: KafkaSource,
        publisher: Publisher,
        results: Results,
        topics: Topics,
        chain: Chain,
        event_loop: asyncio.AbstractEventLoop,
        batching: Batching,
        dead_letters: DeadLetterWatch,
    ) -> None:
        self._source = source
        self._publisher = publisher
        self._results = results
        self._topics = topics
        self._chain = chain
        self._event_loop = event_loop
        self._batching = batching
        self._dead_letters = dead_letters
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._stop_by_s = float("inf")
        self._lanes = Lanes()
        self._commits = Commits(source, publisher, self._lanes, chain.on_commit, self._wake.set)
        self._batches: dict[Future[Batch], list[Part]] = {}
        self._unsettled: list[Part] = []
        self._retry_at_s = 0.0
        self._waiting_since_s: float | None = None
        self._measure_at_s = 0.0
        self._lost_at_s: float | None = None
        self._inputs: frozenset[str] = frozenset()
        self.polled_at_s = time.monotonic()
        self.is_member = False  # of the group, with partitions or in reserve

    def run(self, topics: Sequence[str]) -> None:
        """Consume until `stop`. Raises ConsumerError or what an interceptor raised; nothing unfinished is committed."""
        try:
            if not self._connect():
                return
            self._inputs = frozenset(topics)
            self._source.subscribe(topics, self._assigned, self._revoked, self._lost)
            while not self._stopping.is_set():
                self._receive()
                self._submit()
                self._collect()
                self._publish()
                self._commits.turn()
                self._watch()
                self._measure()
            self._finish(list(self._lanes), self._stop_by_s - time.monotonic())
        except GaveUp as reason:
            log.warning("%s", reason)
        finally:
            self._close()

    def _connect(self) -> bool:
        """Wait for the broker, as long as it takes. Returns False where `stop` came first."""
        sizes = None
        while not self._stopping.is_set():
            self.polled_at_s = time.monotonic()
            if sizes is None:
                sizes = self._topics.prepare()
                if sizes is not None:
                    self._publisher.allow(sizes.record_bytes, sizes.batch_bytes)
                else:
                    self._stopping.wait(START_RETRY_S)
            elif self._publisher.start():
                return True
        return False

    def _close(self) -> None:
        """Leave the group; what is unfinished is dropped uncommitted."""
        self._publisher.give_up_at(time.monotonic() + CLOSE_S)
        for future in self._batches:
            future.cancel()
        self._batches.clear()
        self._lanes.drop(self._lanes.partitions)
        self._commits.close(CLOSE_S)
        self._publisher.close()
        self._source.close()

    def stop(self) -> None:
        """Finish or give back what is in flight, commit, leave the group, and return from `run`."""
        self._stop_by_s = time.monotonic() + STOP_S
        self._publisher.give_up_at(self._stop_by_s)
        self._stopping.set()
        self._wake.set()

    @property
    def problem(self) -> str:
        """Why this consumer is no member of its group; empty where it is one."""
        if self.is_member:
            return ""
        if self._topics.problem:
            return self._topics.problem
        if not self._inputs:
            return "the broker does not take up transactions yet"
        return self._source.problem or "it has not joined its group yet"

    @property
    def paused(self) -> dict[str, str]:
        """Why a topic is not read on, by topic."""
        return self._dead_letters.paused

    @property
    def partitions(self) -> list[Partition]:
        """What the group has assigned to this consumer."""
        return self._lanes.partitions

    # One turn, in the order of an event's way.

    def _receive(self) -> None:
        """Poll into the lanes; where they have no room, or nothing came, wait for a result."""
        now_s = time.monotonic()
        flow = self._lanes.flow(now_s)
        if flow.pause:
            self._source.pause(flow.pause)
        if flow.resume:
            self._source.resume(flow.resume)
        # Full lanes wait for a commit, and its answer may wait for a poll: one record more does no harm.
        most = POLL_EVENTS if flow.has_room else int(self._commits.ends_in_poll)
        if most:
            records = self._source.poll(most, 0 if self._is_busy() else self._idle_s(now_s))
            self.polled_at_s = now_s
            if records:
                self._source.heard()
                self._lanes.add(records)
                self._waiting_since_s = self._waiting_since_s or time.monotonic()
                return
        if self._is_busy():
            self._wake.wait(BUSY_WAIT_S)
            self._wake.clear()

    def _is_busy(self) -> bool:
        return bool(self._batches or self._commits.holds_results or self._lanes.published())

    def _idle_s(self, now_s: float) -> float:
        return max(0.0, min(IDLE_POLL_S, self._retry_at_s - now_s)) if self._unsettled else IDLE_POLL_S

    def _submit(self) -> None:
        """Give the chain its next batches: at once when it is idle, full or after the linger when it is not."""
        now_s = time.monotonic()
        if self._unsettled and now_s >= self._retry_at_s:
            for lane, deliveries in reversed(self._unsettled):
                lane.put_back(deliveries)
            self._unsettled.clear()
            self._waiting_since_s = self._waiting_since_s or now_s
        while self._waiting_since_s is not None and self._has_place():
            waiting = self._lanes.waiting()
            is_early = (
                waiting < self._batching.events and now_s - self._waiting_since_s < self._batching.linger_s
            )
            if self._batches and is_early and waiting:
                return
            if waiting:
                self._start(self._lanes.take(self._batching.events))
            if waiting <= self._batching.events:
                self._waiting_since_s = None

    def _has_place(self) -> bool:
        """Whether the chain takes another batch. Full ones may wait there for the calls under way, and are read
        meanwhile: with one call in flight that takes 30 ms, 7,500 events/s became 10,300."""
        batches, calls = len(self._batches), self._batching.in_flight
        return batches < calls or (batches < 2 * calls and self._lanes.waiting() >= self._batching.events)

    def _start(self, parts: list[Part]) -> None:
        batch = Batch([delivery for _, deliveries in parts for delivery in deliveries])
        future = asyncio.run_coroutine_threadsafe(self._chain.on_consume(batch), self._event_loop)
        self._batches[future] = parts
        future.add_done_callback(lambda _: self._wake.set())

    def _collect(self) -> None:
        """Take back the batches that the chain is done with. Raises what it raised."""
        for future in [future for future in self._batches if future.done()]:
            parts = self._batches.pop(future)
            future.result()
            for lane, deliveries in parts:
                for delivery in deliveries:
                    delivery.is_done = delivery.outcome is not None
                unsettled = [delivery for delivery in deliveries if not delivery.is_done]
                if unsettled and not lane.is_dropped:
                    self._unsettled.append((lane, unsettled))
                    self._retry_at_s = time.monotonic() + RETRY_S

    def _publish(self) -> None:
        """Publish what is settled, in order; not while a commit holds it up, which covers what came before it."""
        if self._commits.holds_results or not self._publisher.start():
            return
        try:
            for lane in self._lanes:
                topic = lane.partition[0]
                if (
                    lane.has_settled
                    and not self._dead_letters.is_paused(topic)
                    and self._results.knows_partitions(topic)
                ):
                    for delivery in lane.settled():
                        self._results.publish(delivery)
                        if self._dead_letters.published(delivery):
                            break
        except NotPublished as failure:
            self._commits.not_published(str(failure), gets_further=self._results.has_found_refused())
        self._results.count()

    def _measure(self) -> None:
        now_s = time.monotonic()
        if now_s < self._measure_at_s:
            return
        self._measure_at_s = now_s + MEASURE_S
        if self._commits.is_in_trouble or self._results.is_waiting:
            self._topics.restore()
        if self._source.is_cut_off():
            self._rejoin("Kafka's client does not find its way to it any more")
        elif self._lost_at_s is not None and now_s - self._lost_at_s >= REJOIN_S:
            self._rejoin(f"no partitions for {REJOIN_S:.0f} s since they were lost")
        self.is_member = self._source.is_member
        self._dead_letters.tell()
        metrics.IN_FLIGHT.set(self._lanes.in_flight())
        self._measure_lag()

    def _watch(self) -> None:
        """Notice what became of the topics meanwhile."""
        if self._topics.watch is None:
            return
        changed = self._topics.watch.look(time.monotonic(), self._lanes.partitions)
        for topic in changed.created_again:
            if topic in self._inputs:
                log.warning(
                    "the topic %s was deleted and created again: reading begins at its beginning", topic
                )
                again = [partition for partition in self._lanes.partitions if partition[0] == topic]
                self._dead_letters.assigned(again)
                for lane in self._lanes.of(again):
                    lane.start = 0  # all of the new topic waits
                self._source.begin_again(again)
        if changed.created_again or changed.resized:
            self._results.assigned()

    def _measure_lag(self) -> None:
        """End minus committed offset, whether the partition is fetched from or not."""
        ends = self._topics.watch.ends if self._topics.watch is not None else {}
        for lane in self._lanes:
            end = ends.get(lane.partition, self._source.end(lane.partition))
            committed = self._committed_offset(lane)
            if end is not None and committed is not None:
                metrics.LAG.labels(*lane.partition).set(max(0, end - committed))

    def _committed_offset(self, lane: Lane) -> int | None:
        """All that was read is in the lane until it is committed. None where nothing was read or committed yet."""
        if (offset := lane.first_offset) is not None:
            return offset
        if (offset := self._source.position(lane.partition)) is not None:
            return offset
        if lane.start is None:
            found = self._source.committed([lane.partition], COMMITTED_S)
            lane.start = found.get(lane.partition, -1) if found is not None else None
        return lane.start if lane.start is not None and lane.start >= 0 else None

    def _rejoin(self, reason: str) -> None:
        log.info("%s: a new client joins the group", reason)
        if self._lanes.partitions:
            self._lost(self._lanes.partitions)
        if self._lost_at_s is not None:
            self._lost_at_s = time.monotonic()
        self._source.renew()

    # The group's doing: these run inside `poll`, in the loop's thread.

    def _assigned(self, partitions: list[Partition]) -> None:
        self._lost_at_s = None
        self.is_member = True
        self._lanes.assign(partitions)
        self._dead_letters.assigned(partitions)
        if partitions:
            if not self._topics.are_there:
                self._topics.prepare()  # the input topic may have been made since the start
            self._results.assigned()
            log.info("assigned %s", names(partitions))

    def _revoked(self, partitions: list[Partition]) -> None:
        self._finish(self._lanes.of(partitions), REVOKE_S, in_rebalance=True)
        self._drop(partitions)
        log.info("revoked %s", names(partitions))

    def _lost(self, partitions: list[Partition]) -> None:
        self._drop(partitions)
        if not self._lanes.partitions:
            self._lost_at_s = time.monotonic()
        log.warning(
            "lost %s: the group has let this member go, or was away; what was in flight is dropped uncommitted",
            names(partitions),
        )

    def _drop(self, partitions: list[Partition]) -> None:
        lanes = self._lanes.of(partitions)
        # librdkafka remembers a pause, and would deliver nothing should the partition be assigned here again.
        self._source.resume([lane.partition for lane in lanes if lane.is_paused])
        self._commits.give_up(lanes)
        self._lanes.drop(partitions)
        for topic, partition in partitions:
            metrics.LAG.remove(topic, partition)

    def _finish(self, lanes: list[Lane], within_s: float, *, in_rebalance: bool = False) -> None:
        """Settle, publish and commit what the chain has of these lanes; what it does not settle in time is dropped."""
        deadline_s = time.monotonic() + within_s
        for lane in lanes:
            lane.waiting.clear()

        def is_unfinished() -> bool:
            in_chain = any(lane in lanes for parts in self._batches.values() for lane, _ in parts)
            return in_chain or self._commits.holds_results or any(lane.published for lane in lanes)

        while is_unfinished() and time.monotonic() < deadline_s:
            if not in_rebalance:
                self._source.poll(1, 0)  # offsets are committed inside; a record is dropped, and read again
            self._collect()
            self._publish()
            self._commits.turn(now=True, in_rebalance=in_rebalance)
            self._wake.wait(BUSY_WAIT_S)
            self._wake.clear()


def names(partitions: Sequence[Partition]) -> str:
    return ", ".join(f"{topic}/{partition}" for topic, partition in sorted(partitions)) or "nothing"
