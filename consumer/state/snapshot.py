"""The state of one partition as it is read from the state topic, and where it belongs; pure.

The state of input partition p lives in partition p % n of a state topic with n partitions. If n changes, the state is
copied to its new place with the next results. A marker names the n for which a place was filled: a copy without it was
not finished, and is not used. The marker also names the first offset that the state covers. An interceptor that has not
written any state yet replays the input from that offset.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from consumer.lanes.lane import Partition
from consumer.state.keys import MARKER, marker_key, parse, place_of, prefix
from interceptor.delivery import StateRecord


class PlacedRecord(StateRecord):
    """A record with its full key and its partition of the state topic."""

    place: int = 0


class Marker(msgspec.Struct):
    """partitions: of the state topic for which the place was filled. since: the first offset that the state holds."""

    partitions: int = 0
    since: int | None = None


@dataclass
class Place:
    """The newest record of each key of one partition's state in one partition of the state topic. size: in bytes."""

    records: dict[bytes, bytes] = field(default_factory=dict)
    size: int = 0

    def apply(self, key: bytes, value: bytes | None) -> None:
        """Apply a record. Without a value, it deletes its key."""
        old = self.records.pop(key, None)
        if old is not None:
            self.size -= len(key) + len(old)
        if value is not None:
            self.records[key] = value
            self.size += len(key) + len(value)

    def marker(self, key: bytes) -> Marker:
        """The marker under this key; zeros if there is none."""
        try:
            return msgspec.json.decode(self.records.get(key, b"{}"), type=Marker)
        except msgspec.MsgspecError:
            return Marker()


class Snapshot:
    """The state of one input partition, gathered from the places where it may be.

    home: the partition of the state topic where it belongs.
    """

    def __init__(self, group: str, partition: Partition, places: int) -> None:
        """places: the number of partitions of the state topic."""
        self._prefix = prefix(group, partition)
        self.home = place_of(partition[1], places)
        self._marker = marker_key(group, partition)
        self._count = places
        self._places: dict[int, Place] = {}

    def add(self, place: int, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Add records of one partition of the state topic, in order. Records of other states are ignored."""
        target = self._places.setdefault(place, Place())
        for key, value in records:
            if key.startswith(self._prefix):
                target.apply(key, value)

    @property
    def is_at_home(self) -> bool:
        """Whether the state's place is known to be complete, so that no other partition needs to be read."""
        home = self._places.get(self.home)
        return home is not None and home.marker(self._marker).partitions == self._count

    @property
    def _source(self) -> int:
        """The place whose state is used: the one that was filled for the most partitions."""
        if self.is_at_home:
            return self.home
        return max(
            self._places,
            key=lambda place: (self._places[place].marker(self._marker).partitions, place == self.home),
            default=self.home,
        )

    @property
    def since(self) -> int | None:
        """The first offset that the state holds; None if there is no state."""
        return self._places.get(self._source, Place()).marker(self._marker).since

    @property
    def size(self) -> int:
        """The bytes of all records."""
        return sum(place.size for place in self._places.values())

    def by_owner(self) -> Mapping[str, list[StateRecord]]:
        """The state's records by the name of their interceptor, with the interceptor's own keys."""
        found: dict[str, list[StateRecord]] = {}
        source = self._places.get(self._source, Place())
        for key, value in source.records.items():
            parts = parse(key)
            if parts is not None and parts.owner != MARKER:
                found.setdefault(parts.owner, []).append(StateRecord(parts.key, value, parts.owner))
        return found

    def moves(self, start: int) -> list[PlacedRecord]:
        """What to write so that the state is at its home alone: copies, the marker, and deletions elsewhere.

        start: the first offset that the state covers, if there was no state yet.
        """
        if self.is_at_home:
            return []
        source, home = self._source, self._places.get(self.home, Place())
        records = self._places.get(source, Place()).records
        moves = []
        if source != self.home:
            copied = [(key, value) for key, value in records.items() if key != self._marker]
            moves += [_placed(self.home, key, value) for key, value in copied]
            moves += [_placed(self.home, key, None) for key in home.records.keys() - records.keys()]
        marker = Marker(self._count, start if self.since is None else self.since)
        moves.append(_placed(self.home, self._marker, msgspec.json.encode(marker)))
        for number, place in self._places.items():
            if number != self.home:
                moves += [_placed(number, key, None) for key in place.records]
        return moves


def _placed(place: int, key: bytes, value: bytes | None) -> PlacedRecord:
    return PlacedRecord(key, value, owner="fncast", place=place)
