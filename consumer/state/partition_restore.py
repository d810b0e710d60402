"""Restores the state of one partition: reads its snapshot and the input after it, and calls the interceptors."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import TypeVar

from consumer import metrics
from consumer.kafka.message import to_record
from consumer.state.reader import Reader
from consumer.state.restoration import Restoration, Restored
from consumer.state.snapshot import Snapshot
from interceptor.contract import StatefulInterceptor
from interceptor.delivery import Record

log = logging.getLogger("fncast.consumer")

CHECK_S = 0.2  # between checks whether the partition was taken away

Result = TypeVar("Result")


class PartitionRestore:
    """Owned by `Restorer`, and used by its thread."""

    def __init__(
        self,
        interceptors: Mapping[str, StatefulInterceptor],
        event_loop: asyncio.AbstractEventLoop,
        state_topic: str,
        group_id: str,
    ) -> None:
        """interceptors: by name; they are called in the event loop."""
        self._interceptors = interceptors
        self._event_loop = event_loop
        self._state_topic = state_topic
        self._group_id = group_id

    def run(self, reader: Reader, restoration: Restoration) -> Restored:
        """Restore the partition. Raises Cancelled, Unavailable, ConsumerError, and what an interceptor raises."""
        began_s = time.monotonic()
        partition = restoration.partition
        committed = reader.committed(partition)
        first, end = reader.bounds(partition)
        # The source starts at the first record if Kafka does not have the committed offset.
        start = committed if first <= committed <= end else first
        snapshot = self._snapshot(reader, restoration)
        from_offsets = self._restore_interceptors(restoration, snapshot, start)
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

    def _restore_interceptors(
        self, restoration: Restoration, snapshot: Snapshot, start: int
    ) -> dict[str, int]:
        """Give the interceptors their records of the snapshot. start: the first offset that will be consumed.

        Returns by interceptor the offset from which to replay the input.
        """
        topic, number = restoration.partition
        state = snapshot.by_owner()
        from_offsets = {}
        for name, interceptor in self._interceptors.items():
            if not interceptor.has_state(topic):
                continue
            records = state.get(name, [])
            self._call(restoration, interceptor.drop, topic, number)  # an earlier attempt may have failed
            offset = self._call(
                restoration, interceptor.restore, topic, number, restoration.generation, start, records
            )
            if not records and snapshot.since is not None:
                offset = snapshot.since  # it has never written state, so it needs the input from there on
            from_offsets[name] = min(max(0, offset), start)
        return from_offsets

    def _snapshot(self, reader: Reader, restoration: Restoration) -> Snapshot:
        """Read the partition of the state topic where the state should be. If it is not there, read all of them."""
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
                restoration.check()
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
                records = [to_record(message) for message in chunk]
                count += len(records)
                self._replay_records(restoration, from_offsets, records)
                restoration.check()
        return count

    def _replay_records(
        self, restoration: Restoration, from_offsets: Mapping[str, int], records: Sequence[Record]
    ) -> None:
        """Give each interceptor those of the records that its snapshot does not hold."""
        for name, offset in from_offsets.items():
            missing = [entry for entry in records if entry.offset >= offset]
            if missing:
                self._call(restoration, self._interceptors[name].replay, missing)

    def _call(self, restoration: Restoration, call: Callable[..., Result], *arguments: object) -> Result:
        """Call an interceptor in the event loop, unless the partition was taken away meanwhile."""
        done: Future[Result] = Future()

        def run() -> None:
            try:
                restoration.check()
                done.set_result(call(*arguments))
            except BaseException as error:
                done.set_exception(error)

        self._event_loop.call_soon_threadsafe(run)
        while True:
            try:
                return done.result(CHECK_S)
            except NotYet:
                if done.done():  # the interceptor itself has raised TimeoutError
                    return done.result()
                restoration.check()
