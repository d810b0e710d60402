"""When the windows of a partition are written: first with a record, later after a time or many readings."""

from __future__ import annotations

from interceptor.assembly import snapshot_schedule
from interceptor.assembly.partition_windows import PartitionWindows
from interceptor.assembly.rules import Rules
from interceptor.assembly.snapshot_schedule import SNAPSHOT_S, SnapshotSchedule
from interceptor.readings.telegraf import TelegrafJson


def keys(records):
    return [record.key for record in records]


def test_the_first_snapshot_deletes_what_is_left_of_a_state_that_was_not_used():
    windows = PartitionWindows(TelegrafJson(), Rules(), "telegraf")
    snapshots = SnapshotSchedule(windows, now_s=0.0)
    snapshots.start_without_snapshot([b"head", b"bucket/0"])
    snapshots.make_due()
    assert snapshots.write(1.0, is_whole=True) == []  # nothing before the first record
    assert [(record.key, record.value is None) for record in snapshots.begin(7)] == [
        (b"bucket/0", True),
        (b"head", False),
    ]
    assert windows.next_offset == 7
    assert snapshots.begin(8) == []


def test_a_snapshot_is_due_after_a_time_or_many_readings_if_the_windows_have_changed(monkeypatch):
    windows = PartitionWindows(TelegrafJson(), Rules(), "telegraf")
    snapshots = SnapshotSchedule(windows, now_s=0.0)
    assert snapshots.write(SNAPSHOT_S - 1, is_whole=False) == []
    assert keys(snapshots.write(SNAPSHOT_S, is_whole=False)) == [b"head"]
    assert snapshots.size > 0
    assert snapshots.write(3 * SNAPSHOT_S, is_whole=True) == []  # nothing has changed
    windows.next_offset += 1
    assert keys(snapshots.write(3 * SNAPSHOT_S, is_whole=True)) == [b"head"]
    windows.next_offset += 1
    monkeypatch.setattr(snapshot_schedule, "SNAPSHOT_READINGS", 2)
    snapshots.readings = 2
    assert keys(snapshots.write(3 * SNAPSHOT_S, is_whole=False)) == [b"head"]
    assert snapshots.readings == 0
