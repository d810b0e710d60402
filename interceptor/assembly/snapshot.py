"""The windows of a partition as records of the state topic: buckets of series, and one head.

Format (version 1, MessagePack arrays): `head` is [version, offset, event time, number of series, shape of the rules].
`bucket/N` is [offset, series of the slots 64 N to 64 N + 63]. An offset is that of the first record that is not in the
state. A snapshot writes the buckets that changed, in order, and the head last. Large snapshots are written in parts,
while records continue: then buckets are newer than the head, which stands for the offset at which the snapshot began.
"""

from __future__ import annotations

import logging
import sys
from array import array
from collections import deque
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TypeVar

import msgspec

from fncast.series.step import Step
from interceptor.assembly.aggregated_steps import AggregatedSteps, Total
from interceptor.assembly.grid import Grid, from_anchor
from interceptor.assembly.partition_windows import PartitionWindows
from interceptor.assembly.series_window import NEVER, SeriesWindow
from interceptor.assembly.single_readings import Reading, SingleReadings
from interceptor.delivery import StateRecord
from interceptor.errors import StateError
from interceptor.readings.contract import Kind, Series

log = logging.getLogger("fncast.assemble")

VERSION = 1
BUCKET = 64  # series
PART = 16  # buckets
HEAD = b"head"
_CACHED_GRIDS = 1024
_BUCKET_KEY = b"bucket/%d"


class _Head(msgspec.Struct, array_like=True):
    version: int
    offset: int
    event_ns: int
    series: int
    shape: str


class _Single(msgspec.Struct, array_like=True):
    """What `SingleReadings` has beyond `SeriesWindow`. step, day, anchor_ns: of its grid; step is empty without one."""

    step: str
    day: int | None
    anchor_ns: int
    gathered: list[Reading] | None
    misfits: int


class _Aggregated(msgspec.Struct, array_like=True):
    """What `AggregatedSteps` has beyond `SeriesWindow`. Its grid follows from the rules."""

    counts: bytes
    is_open: bool
    due_ns: int
    older: tuple[float, int]
    recent: list[tuple[int, float]]


class _Series(msgspec.Struct, array_like=True):
    """values: the ring; empty while no step has a value."""

    name: str
    unit: str
    is_counter: bool
    labels_json: bytes
    head: int
    emitted: int
    present: int
    values: bytes
    single: _Single | None
    aggregated: _Aggregated | None


class _Bucket(msgspec.Struct, array_like=True):
    offset: int
    series: list[_Series]


_Number = TypeVar("_Number", int, float)
_encode = msgspec.msgpack.Encoder().encode
_version = msgspec.msgpack.Decoder(list[msgspec.Raw])
_head = msgspec.msgpack.Decoder(_Head)
_bucket = msgspec.msgpack.Decoder(_Bucket)


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
        """The next part: up to `most` buckets as they are now, and behind the last one the head."""
        count = min(most, len(self._numbers))
        records = [_bucket_record(self._windows, self._numbers.popleft()) for _ in range(count)]
        if not self._numbers and self._head is not None:
            records.append(self._head)
            self._head = None
        return records

    def give_up(self) -> None:
        """Leave what is not written to the next snapshot."""
        self._windows.changed.update(number * BUCKET for number in self._numbers)


def _changed_buckets(windows: PartitionWindows) -> list[int]:
    return sorted({slot // BUCKET for slot in windows.changed})


def _bucket_record(windows: PartitionWindows, number: int) -> StateRecord:
    series = windows.series[number * BUCKET : (number + 1) * BUCKET]
    bucket = _Bucket(windows.next_offset, [_state_of(each) for each in series])
    return StateRecord(_BUCKET_KEY % number, _encode(bucket))


def _head_record(windows: PartitionWindows) -> StateRecord:
    shape = windows.rules.shape()
    head = _Head(VERSION, windows.next_offset, windows.event_ns, len(windows.series), shape)
    return StateRecord(HEAD, _encode(head))


def read(windows: PartitionWindows, state: Iterable[StateRecord], place: str, committed: int) -> bool:
    """Fill new, empty windows from a snapshot. Returns whether there is one that can be used.

    place: topic and partition, for messages. committed: a snapshot beyond this offset is not used. Raises StateError if
    the snapshot cannot be read.
    """
    values = {record.key: record.value for record in state if record.value is not None}
    if HEAD not in values:
        return False
    try:
        head = _read_head(values[HEAD])
        if head.shape != windows.rules.shape():
            log.warning(
                "%s: the settings of its windows have changed, so its %d series start again",
                place,
                head.series,
            )
            return False
        buckets = _read_buckets(values, head)
        if max([head.offset, *(bucket.offset for bucket in buckets)]) > committed:
            log.warning(
                "%s: its state stands for offset %d, but reading begins at %d, so its %d series start again",
                place,
                head.offset,
                committed,
                head.series,
            )
            return False
        for bucket in buckets:
            for each in bucket.series:
                if bucket.offset > head.offset:
                    windows.ahead[len(windows.series)] = bucket.offset
                windows.insert(_series_of(each, windows))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise StateError(
            f"{error}. Run `fncast state reset` to forget the state: then its series start again"
        ) from None
    windows.event_ns = head.event_ns
    windows.next_offset = head.offset
    return True


def _read_head(value: bytes) -> _Head:
    """Raises ValueError for another version."""
    members = _version.decode(value)
    version = msgspec.msgpack.decode(members[0], type=int) if members else 0
    if version != VERSION:
        age = "a newer" if version > VERSION else "an unknown"
        raise ValueError(
            f"it was written by {age} version of fncast (format {version}, this one reads {VERSION})"
        )
    return _head.decode(value)


def _read_buckets(values: Mapping[bytes, bytes | None], head: _Head) -> list[_Bucket]:
    """All buckets of the snapshot, and newer ones behind its last. Raises ValueError if one is missing or short."""
    buckets: list[_Bucket] = []
    while (value := values.get(_BUCKET_KEY % len(buckets))) is not None:
        bucket = _bucket.decode(value)
        if len(buckets) * BUCKET >= head.series and bucket.offset <= head.offset:
            break  # left over from a longer state that was reset
        buckets.append(bucket)
    for number in range(-(-head.series // BUCKET)):
        if number >= len(buckets):
            raise ValueError(f"bucket {number} is missing")
        if len(buckets[number].series) < min(BUCKET, head.series - number * BUCKET):
            raise ValueError(f"bucket {number} has too few series")
    return buckets


def _state_of(series: SeriesWindow) -> _Series:
    single = aggregated = None
    if isinstance(series, SingleReadings):
        grid = series.grid
        single = _Single(
            str(grid.step) if grid else "",
            grid.step.day if grid else None,
            grid.anchor() if grid else 0,
            series.gathered,
            series.misfits,
        )
    elif isinstance(series, AggregatedSteps):
        aggregated = _Aggregated(
            _to_bytes(series.counts) if series.head != NEVER else b"",
            series.is_open,
            series.due_ns,
            (series.older.value, series.older.count),
            list(series.recent.items()),
        )
    return _Series(
        series.name,
        series.unit,
        series.is_counter,
        series.labels_json,
        series.head,
        series.emitted,
        series.present,
        _to_bytes(series.values) if series.head != NEVER else b"",
        single,
        aggregated,
    )


def _series_of(state: _Series, windows: PartitionWindows) -> SeriesWindow:
    """Raises ValueError."""
    kind = Kind.CUMULATIVE if state.is_counter else Kind.GAUGE
    described = Series(state.name, {}, state.unit, kind)
    series = windows.new_series(described, state.labels_json)
    if isinstance(series, SingleReadings) and state.single is not None:
        if state.single.step:
            series.set_grid(_grid(state.single.step, state.single.day, state.single.anchor_ns))
        series.gathered, series.misfits = state.single.gathered, state.single.misfits
    elif isinstance(series, AggregatedSteps) and state.aggregated is not None:
        if state.aggregated.counts:
            series.counts = _from_bytes(state.aggregated.counts, array("Q"), len(series.counts))
        series.is_open, series.due_ns = state.aggregated.is_open, state.aggregated.due_ns
        series.older, series.recent = Total(*state.aggregated.older), dict(state.aggregated.recent)
    else:
        raise ValueError(f"series {series.slot} is of another kind")
    if state.values:
        series.values = _from_bytes(state.values, array("d"), len(series.values))
    series.head, series.emitted, series.present = state.head, state.emitted, state.present
    return series


@lru_cache(_CACHED_GRIDS)
def _grid(step: str, day: int | None, anchor_ns: int) -> Grid:
    return from_anchor(Step.parse(step), day, anchor_ns)


def _to_bytes(numbers: array[float] | array[int]) -> bytes:
    """The numbers as little-endian bytes."""
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


def _from_bytes(data: bytes, numbers: array[_Number], count: int) -> array[_Number]:
    """Fill the empty array. Raises ValueError unless there are `count` numbers."""
    if len(data) != count * numbers.itemsize:
        raise ValueError(f"a window has {len(data)} bytes, not {count * numbers.itemsize}")
    numbers.frombytes(data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
