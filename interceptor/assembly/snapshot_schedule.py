"""When the windows of a partition are written to the state topic; pure: the clock is passed in."""

from __future__ import annotations

from collections.abc import Iterable

from interceptor.assembly import snapshot
from interceptor.assembly.partition_windows import PartitionWindows
from interceptor.delivery import StateRecord

SNAPSHOT_S = 10.0  # between snapshots of a partition
SNAPSHOT_READINGS = 500_000  # a snapshot is written earlier after this many readings, to bound the replay


class SnapshotSchedule:
    """The snapshots of one partition. Used by the thread that owns its windows.

    readings: how many were added since the last snapshot; counted by the owner. size: bytes of the newest value of each
    key in the state topic.
    """

    def __init__(self, windows: PartitionWindows, now_s: float) -> None:
        """now_s: monotonic."""
        self._windows = windows
        self._due_at_s = now_s + SNAPSHOT_S
        self._next_offset = -1  # of the windows at the last snapshot
        self._parts: snapshot.Parts | None = None  # the rest of a snapshot
        self._is_new = False
        self._stale: list[bytes] = []
        self._sizes: dict[bytes, int] = {}  # by key, of the newest value
        self.size = 0
        self.readings = 0

    def start_with_snapshot(self, records: Iterable[StateRecord]) -> None:
        """Begin with a snapshot that was read. records: the newest of each key."""
        self._add_sizes(records)

    def start_without_snapshot(self, stale: Iterable[bytes]) -> None:
        """Begin without a snapshot. stale: keys in the state topic; the first snapshot deletes them."""
        self._is_new, self._stale = True, list(stale)

    def begin(self, offset: int) -> list[StateRecord]:
        """The records of the first snapshot, of empty windows; none if there is a snapshot already.

        offset: of the first record with readings.
        """
        if not self._is_new:
            return []
        self._windows.next_offset = max(self._windows.next_offset, offset)
        records = snapshot.begin(self._windows, self._stale)
        self._is_new, self._stale = False, []
        self._add_sizes(records)
        return records

    def make_due(self) -> None:
        """Let the next call of `write` write a snapshot."""
        self._due_at_s = 0.0

    def write(self, now_s: float, *, is_whole: bool) -> list[StateRecord]:
        """The records of the snapshot or part that is due; none if nothing is due or has changed.

        is_whole: write all that has changed, not only the next part. now_s: monotonic.
        """
        windows = self._windows
        is_due = now_s >= self._due_at_s or self.readings >= SNAPSHOT_READINGS
        has_changed = windows.changed or self._parts or windows.next_offset != self._next_offset
        if self._is_new or not is_due or not has_changed:
            return []
        parts = self._parts
        if is_whole:
            if parts is not None:
                parts.give_up()
            records = snapshot.write(windows)
            parts = None
        else:
            parts = parts or snapshot.Parts(windows)
            records = parts.next()
            if parts.is_done:
                parts = None
        self._parts = parts
        self._next_offset = windows.next_offset
        if parts is None:
            self._due_at_s, self.readings = now_s + SNAPSHOT_S, 0
        self._add_sizes(records)
        return records

    def _add_sizes(self, records: Iterable[StateRecord]) -> None:
        for record in records:
            size = len(record.value or b"")
            self.size += size - self._sizes.get(record.key, 0)
            self._sizes[record.key] = size
