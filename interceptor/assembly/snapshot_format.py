"""The format of a snapshot: buckets of series, and one head.

Version 1, MessagePack arrays: `head` is [version, offset, event time, number of series, shape of the rules].
`bucket/N` is [offset, series of the slots 64 N to 64 N + 63]; where windows are long, a bucket has fewer series. An
offset is that of the first record that is not in the state.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Mapping
from functools import lru_cache
from typing import TypeVar

import msgspec

from fncast.series.step import Step
from interceptor.assembly.aggregated_steps import AggregatedSteps, Total
from interceptor.assembly.grid import Grid, from_anchor
from interceptor.assembly.partition_windows import PartitionWindows
from interceptor.assembly.rules import Rules
from interceptor.assembly.series_window import NEVER, SeriesWindow
from interceptor.assembly.single_readings import Reading, SingleReadings
from interceptor.readings.contract import MetricKind, Series

VERSION = 1
BUCKET = 64  # series, unless their windows are long
# A producer of Kafka sends at most 1,000,000 bytes in a record by default.
_RECORD_BYTES = 900_000
# What a series has in addition to its window: name, labels and unit. The last readings of its open step fit into the
# rest of a record.
_SERIES_BYTES = 9_900
_CACHED_GRIDS = 1024
BUCKET_KEY = b"bucket/%d"


class Head(msgspec.Struct, array_like=True):
    """What is common to all buckets.

    event_ns: the partition's event time. series: how many there are. shape: see `Rules.shape`.
    """

    version: int
    offset: int
    event_ns: int
    series: int
    shape: str


class SingleState(msgspec.Struct, array_like=True):
    """What `SingleReadings` has beyond `SeriesWindow`. step, day, anchor_ns: of its grid; step is empty without one."""

    step: str
    day: int | None
    anchor_ns: int
    gathered: list[Reading] | None
    misfits: int


class AggregatedState(msgspec.Struct, array_like=True):
    """What `AggregatedSteps` has beyond `SeriesWindow`. Its grid follows from the rules."""

    counts: bytes
    is_open: bool
    due_ns: int
    older: tuple[float, int]
    recent: list[tuple[int, float]]


class SeriesState(msgspec.Struct, array_like=True):
    """The state of a series, as `SeriesWindow` has it. values: the ring; empty while no step has a value."""

    name: str
    unit: str
    is_counter: bool
    labels_json: bytes
    head: int
    emitted: int
    present: int
    values: bytes
    single: SingleState | None
    aggregated: AggregatedState | None
    behind: tuple[int, int] = (NEVER, 0)
    begun: tuple[int, int] = (-1, 0)


class Bucket(msgspec.Struct, array_like=True):
    """Series of consecutive slots. offset: of the first record that is not in them."""

    offset: int
    series: list[SeriesState]


_Number = TypeVar("_Number", int, float)
encode = msgspec.msgpack.Encoder().encode
_version = msgspec.msgpack.Decoder(list[msgspec.Raw])
_head = msgspec.msgpack.Decoder(Head)
_bucket = msgspec.msgpack.Decoder(Bucket)


def read_head(value: bytes) -> Head:
    """The head of a snapshot. Raises ValueError for another version."""
    members = _version.decode(value)
    version = msgspec.msgpack.decode(members[0], type=int) if members else 0
    if version != VERSION:
        age = "a newer" if version > VERSION else "an unknown"
        raise ValueError(
            f"it was written by {age} version of fncast (format {version}, this one reads {VERSION})"
        )
    return _head.decode(value)


def bucket_size(rules: Rules) -> int:
    """The number of series in a bucket: at most BUCKET, and few enough to keep a record below _RECORD_BYTES."""
    numbers = rules.window * (2 if rules.is_aggregated else 1)
    return max(1, min(BUCKET, _RECORD_BYTES // (8 * numbers + _SERIES_BYTES)))


def read_buckets(values: Mapping[bytes, bytes | None], head: Head, size: int) -> list[Bucket]:
    """The buckets of the snapshot, and newer buckets of series that were added after its head was written.

    size: the number of series in a bucket. Raises ValueError if a bucket is missing or has too few series.
    """
    buckets: list[Bucket] = []
    while (value := values.get(BUCKET_KEY % len(buckets))) is not None:
        bucket = _bucket.decode(value)
        if len(buckets) * size >= head.series and bucket.offset <= head.offset:
            break  # left over from a longer state that was reset
        buckets.append(bucket)
    for number in range(-(-head.series // size)):
        if number >= len(buckets):
            raise ValueError(f"bucket {number} is missing")
        if len(buckets[number].series) < min(size, head.series - number * size):
            raise ValueError(f"bucket {number} has too few series")
    return buckets


def state_of(series: SeriesWindow) -> SeriesState:
    """The state of a series, for a bucket."""
    single = aggregated = None
    if isinstance(series, SingleReadings):
        grid = series.grid
        single = SingleState(
            str(grid.step) if grid else "",
            grid.step.day if grid else None,
            grid.anchor() if grid else 0,
            series.gathered,
            series.misfits,
        )
    elif isinstance(series, AggregatedSteps):
        aggregated = AggregatedState(
            _to_bytes(series.counts) if series.head != NEVER else b"",
            series.is_open,
            series.due_ns,
            (series.older.value, series.older.count),
            list(series.recent.items()),
        )
    return SeriesState(
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
        series.behind,
        series.begun,
    )


def series_of(state: SeriesState, windows: PartitionWindows) -> SeriesWindow:
    """The series with this state, for the next slot of the windows. Raises ValueError if the rules do not fit it."""
    kind = MetricKind.CUMULATIVE if state.is_counter else MetricKind.GAUGE
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
    series.behind, series.begun = state.behind, state.begun
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
