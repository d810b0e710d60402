"""Restores the state of assigned partitions in a thread: reads snapshot and input, and calls the interceptors."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field
from typing import TypeVar

from consumer import metrics
from consumer.errors import ConsumerError
from consumer.kafka.message import record
from consumer.lane import Partition
from consumer.state.reader import Reader, Unavailable
from consumer.state.snapshot import PlacedRecord, Snapshot
from interceptor.contract import StatefulInterceptor
from interceptor.errors import StateError

log = logging.getLogger("fncast.consumer")

RETRY_S = 1.0
CHECK_S = 0.2

Result = TypeVar("Result")


class Cancelled(Exception):
    """The partition was taken away meanwhile."""


@dataclass(frozen=True)
class Restored:
    """What the loop needs to continue with a partition.

    previous: the offset of the last committed record, None without one. state_partition: the partition of the
    state topic to which the state is written. moves: what to write first.
    """

    previous: int | None
    state_partition: int
    moves: list[PlacedRecord]


@dataclass(eq=False)
class Restoration:
    """The restoration of one partition's state.

    done: its result, or ConsumerError, or what an interceptor raised. problem: why it does not proceed.
    is_cancelled: set by the loop's thread before it lets the interceptors drop the partition.
    """

    partition: Partition
    generation: int
    done: Future[Restored] = field(default_factory=Future)
    is_cancelled: bool = False
    problem: str = ""


class Restorer:
    """One thread restores one partition after the other. It runs while there is something to restore."""

    def __init__(
        self,
        interceptors: Mapping[str, StatefulInterceptor],
        event_loop: asyncio.AbstractEventLoop,
        state_topic: str,
        group_id: str,
        open_reader: Callable[[], Reader],
    ) -> None:
        self._interceptors = interceptors
        self._event_loop = event_loop
        self._state_topic = state_topic
        self._group_id = group_id
        self._open_reader = open_reader
        self._lock = threading.Lock()
        self._waiting: list[Restoration] = []
        self._is_running = False

    def submit(self, restorations: Sequence[Restoration]) -> None:
        """Restore these partitions after those that wait already. Returns at once."""
        with self._lock:
            self._waiting += restorations
            if self._waiting and not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="restore", daemon=True).start()

    def _next(self) -> Restoration | None:
        with self._lock:
            if self._waiting:
                return self._waiting.pop(0)
            self._is_running = False
            return None

    def _run(self) -> None:
        reader: Reader | None = None
        while (restoration := self._next()) is not None:
            while not restoration.is_cancelled:
                try:
                    reader = reader or self._open_reader()
                    restoration.done.set_result(self._restore(reader, restoration))
                    restoration.problem = ""
                    break
                except Cancelled:
                    break
                except Unavailable as reason:
                    _log_once(restoration, str(reason))
                    _close(reader)
                    reader = None
                    time.sleep(RETRY_S)
                except StateError as error:
                    topic, number = restoration.partition
                    sentence = f"the state of {topic}/{number} cannot be read: {error}"
                    restoration.done.set_exception(ConsumerError(sentence))
                    break
                except BaseException as error:
                    restoration.done.set_exception(error)
                    break
        _close(reader)

    def _restore(self, reader: Reader, restoration: Restoration) -> Restored:
        began_s = time.monotonic()
        partition = restoration.partition
        committed = reader.committed(partition)
        first, end = reader.bounds(partition)
        # The source starts at the first record if Kafka does not have the committed offset.
        start = committed if first <= committed <= end else first
        snapshot = self._snapshot(reader, restoration)
        state = snapshot.by_owner()
        from_offsets = {}
        for name, interceptor in self._interceptors.items():
            if interceptor.has_state(partition[0]):
                self._call(restoration, interceptor.drop, *partition)  # an earlier attempt may have failed
                offset = self._call(
                    restoration,
                    interceptor.restore,
                    *partition,
                    restoration.generation,
                    start,
                    state.get(name, []),
                )
                if not state.get(name) and snapshot.since is not None:
                    offset = snapshot.since
                from_offsets[name] = min(max(0, offset), start)
        replayed = self._replay(reader, restoration, from_offsets, first, start)
        took_s = time.monotonic() - began_s
        metrics.RESTORE_SECONDS.observe(took_s)
        log.info(
            "restored the state of %s/%d in %.1f s: %d bytes of snapshots, %d records read again",
            *partition,
            took_s,
            snapshot.size,
            replayed,
        )
        previous = start - 1 if start == committed and start > 0 else None
        if snapshot.since is None and previous is not None:
            log.info("%s/%d has no state yet: it begins at offset %d", *partition, start)
        return Restored(previous, snapshot.home, snapshot.moves(start))

    def _snapshot(self, reader: Reader, restoration: Restoration) -> Snapshot:
        """Read the partition of the state topic where the state should be; all of them if it is not there."""
        places = reader.partitions_of(self._state_topic)
        snapshot = Snapshot(self._group_id, restoration.partition, places)
        others = [place for place in range(places) if place != snapshot.home]
        for place in (snapshot.home, *others):
            self._read_place(reader, restoration, snapshot, place)
            if snapshot.is_at_home:
                break
        return snapshot

    def _read_place(self, reader: Reader, restoration: Restoration, snapshot: Snapshot, place: int) -> None:
        where = (self._state_topic, place)
        first, end = reader.bounds(where)
        if first > 0:
            log.warning(
                "%s/%d begins at offset %d: Kafka has deleted older state, so the state that is left is not used",
                *where,
                first,
            )
            snapshot.add(place, [])
            return
        with contextlib.closing(reader.read(where, first, end)) as chunks:
            for chunk in chunks:
                _check(restoration)
                snapshot.add(place, ((message.key() or b"", message.value()) for message in chunk))

    def _replay(
        self,
        reader: Reader,
        restoration: Restoration,
        from_offsets: Mapping[str, int],
        first: int,
        start: int,
    ) -> int:
        """Give the interceptors the records between their snapshot and `start`. Returns how many were read."""
        topic, number = restoration.partition
        begin = min(from_offsets.values(), default=start)
        if begin < min(first, start):
            log.warning(
                "%s/%d: Kafka has deleted the records of offsets %d to %d, which come after the last snapshot: their"
                " readings are missing in the windows",
                topic,
                number,
                begin,
                min(first, start) - 1,
            )
        count = 0
        with contextlib.closing(reader.read(restoration.partition, max(begin, first), start)) as chunks:
            for chunk in chunks:
                records = [record(message) for message in chunk]
                count += len(records)
                for name, offset in from_offsets.items():
                    wanted = [entry for entry in records if entry.offset >= offset]
                    if wanted:
                        self._call(restoration, self._interceptors[name].replay, wanted)
                _check(restoration)
        return count

    def _call(self, restoration: Restoration, call: Callable[..., Result], *arguments: object) -> Result:
        """Call an interceptor in the event loop, unless the partition was taken away meanwhile."""
        done: Future[Result] = Future()

        def run() -> None:
            try:
                _check(restoration)
                done.set_result(call(*arguments))
            except BaseException as error:
                done.set_exception(error)

        self._event_loop.call_soon_threadsafe(run)
        while True:
            try:
                return done.result(CHECK_S)
            except NotYet:
                if done.done():
                    return done.result()
                _check(restoration)


def _check(restoration: Restoration) -> None:
    if restoration.is_cancelled:
        raise Cancelled


def _close(reader: Reader | None) -> None:
    """Close the reader. An error is only logged: without its thread, no partition would be restored."""
    try:
        if reader is not None:
            reader.close()
    except Exception:
        log.exception("the reader of the state was not closed")


def _log_once(restoration: Restoration, reason: str) -> None:
    topic, number = restoration.partition
    problem = f"the state of {topic}/{number} is not restored yet: {reason}"
    if restoration.problem != problem:
        restoration.problem = problem
        log.warning("%s", problem)
