"""Writes the windows of a partition as records of the state topic, and reads them: buckets of series, and one head.

A snapshot writes the buckets that changed, in order, and the head last. Large snapshots are written in parts, while
records continue: then buckets are newer than the head, which has the offset at which the snapshot began.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable

import msgspec

from interceptor.assembly.partition_windows import PartitionWindows
from interceptor.assembly.rules import Rules
from interceptor.assembly.snapshot_format import (
    BUCKET,
    BUCKET_KEY,
    VERSION,
    Bucket,
    Head,
    bucket_size,
    encode,
    read_buckets,
    read_head,
    series_of,
    state_of,
)
from interceptor.delivery import StateRecord
from interceptor.errors import StateError

log = logging.getLogger("fncast.assemble")

PART = 16  # buckets
HEAD = b"head"


def begin(windows: PartitionWindows, stale: Iterable[bytes] = ()) -> list[StateRecord]:
    """The first snapshot, of windows without readings. stale: keys of a state that was not used; they are deleted.

    It is published with the first record, so that a restart replays from there.
    """
    return [*(StateRecord(key, None) for key in stale if key != HEAD), _head_record(windows)]


def write(windows: PartitionWindows) -> list[StateRecord]:
    """The records of a snapshot: what changed since the last one."""
    records = [_bucket_record(windows, number) for number in _changed_buckets(windows)]
    windows.changed.clear()
    return [*records, _head_record(windows)]


class Parts:
    """A snapshot that is written in parts, so that other work does not wait for it."""

    def __init__(self, windows: PartitionWindows) -> None:
        """Begin a snapshot of what changed since the last one."""
        self._windows = windows
        self._numbers = deque(_changed_buckets(windows))
        self._head: StateRecord | None = _head_record(windows)
        windows.changed.clear()

    @property
    def is_done(self) -> bool:
        """Whether all parts are written."""
        return self._head is None

    def next(self, most: int = PART) -> list[StateRecord]:
        """The next part: up to `most` buckets as they are now, and the head after the last bucket."""
        count = min(most, len(self._numbers))
        records = [_bucket_record(self._windows, self._numbers.popleft()) for _ in range(count)]
        if not self._numbers and self._head is not None:
            records.append(self._head)
            self._head = None
        return records

    def give_up(self) -> None:
        """End this snapshot. The next one writes the buckets that are left."""
        size = bucket_size(self._windows.rules)
        self._windows.changed.update(number * size for number in self._numbers)


def _changed_buckets(windows: PartitionWindows) -> list[int]:
    size = bucket_size(windows.rules)
    return sorted({slot // size for slot in windows.changed})


def _bucket_record(windows: PartitionWindows, number: int) -> StateRecord:
    size = bucket_size(windows.rules)
    series = windows.series[number * size : (number + 1) * size]
    bucket = Bucket(windows.next_offset, [state_of(each) for each in series])
    return StateRecord(BUCKET_KEY % number, encode(bucket))


def _head_record(windows: PartitionWindows) -> StateRecord:
    shape = _shape(windows.rules)
    head = Head(VERSION, windows.next_offset, windows.event_ns, len(windows.series), shape)
    return StateRecord(HEAD, encode(head))


def _shape(rules: Rules) -> str:
    """The settings that the records depend on: records of other settings cannot be used."""
    size = bucket_size(rules)
    return rules.shape() if size == BUCKET else f"{rules.shape()} bucket={size}"


def read(windows: PartitionWindows, state: Iterable[StateRecord], place: str, committed: int) -> bool:
    """Fill new, empty windows from a snapshot. Returns whether there is one that can be used.

    place: topic and partition, for messages. committed: a snapshot beyond this offset is not used. Raises StateError if
    the snapshot cannot be read.
    """
    values = {record.key: record.value for record in state if record.value is not None}
    if not values:
        return False
    try:
        if HEAD not in values:
            raise ValueError("its head is missing")
        head = read_head(values[HEAD])
        if head.shape != _shape(windows.rules):
            log.warning(
                "%s: the settings of its windows have changed, so its %d series start again",
                place,
                head.series,
            )
            return False
        buckets = read_buckets(values, head, bucket_size(windows.rules))
        if max([head.offset, *(bucket.offset for bucket in buckets)]) > committed:
            log.warning(
                "%s: its state continues at offset %d, but reading begins at %d, so its %d series start again",
                place,
                head.offset,
                committed,
                head.series,
            )
            return False
        _fill(windows, head, buckets)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise StateError(
            f"{error}. Run `fncast state reset --replay` to build the state again from the input. Without --replay,"
            " its series start again"
        ) from None
    return True


def _fill(windows: PartitionWindows, head: Head, buckets: Iterable[Bucket]) -> None:
    for bucket in buckets:
        for state in bucket.series:
            if bucket.offset > head.offset:
                windows.restored_until[len(windows.series)] = bucket.offset
            windows.insert(series_of(state, windows))
    windows.event_ns, windows.next_offset = head.event_ns, head.offset
