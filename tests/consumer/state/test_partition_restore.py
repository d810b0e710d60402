"""Restoring one partition: which records are read, and what the interceptors are called with."""

from __future__ import annotations

import logging

import pytest

from consumer.state.keys import marker_key
from interceptor.delivery import Record
from tests.consumer.state.restoring import PARTITION, Harness, Recorder


async def test_each_interceptor_gets_only_what_its_snapshot_does_not_hold():
    first, second = Recorder(snapshot_at=3), Recorder(snapshot_at=8)
    harness = Harness(first, second)
    harness.assign()
    await harness.until_restored()
    assert first.replayed == [3, 4, 5, 6, 7, 8, 9]
    assert second.replayed == [8, 9]


async def test_without_records_since_the_snapshot_nothing_is_read():
    interceptor = Recorder(snapshot_at=10)
    harness = Harness(interceptor)
    harness.assign()
    await harness.until_restored()
    assert harness.kafka.reads == [("state", 0, 0), ("telegraf", 10, 10)]
    assert interceptor.replayed == []


async def test_an_interceptor_that_has_not_written_state_yet_reads_all_since_it_began():
    interceptor = Recorder()
    harness = Harness(interceptor)
    harness.kafka.state[0] = [(marker_key("group", PARTITION), b'{"partitions":1,"since":3}')]
    harness.assign()
    await harness.until_restored()
    assert interceptor.replayed == [3, 4, 5, 6, 7, 8, 9]


async def test_a_partition_without_state_begins_with_the_committed_offset():
    interceptor = Recorder()
    harness = Harness(interceptor)
    harness.assign()
    await harness.until_restored()
    assert interceptor.replayed == []
    harness.lanes.add([Record(*PARTITION, 10, 0, None, b"", [])])
    (marker,) = harness.lane.unpublished[0].state
    assert marker.value == b'{"partitions":1,"since":10}'


@pytest.mark.parametrize(("committed", "start"), [(-1001, 20), (5, 20), (500, 20), (50, 50)])
async def test_restoring_starts_where_the_source_does(committed, start):
    """Without an offset, and with one that Kafka does not have, the source starts at the first record."""
    interceptor = Recorder()
    harness = Harness(interceptor)
    harness.kafka.committed_offset = committed
    harness.kafka.bounds_of[PARTITION] = (20, 100)
    harness.assign()
    await harness.until_restored()
    assert interceptor.calls[-1][2] == start
    assert harness.lane.last_offset == (49 if committed == 50 else None)


async def test_a_range_that_retention_has_deleted_is_named_once(caplog):
    interceptor = Recorder(snapshot_at=4)
    harness = Harness(interceptor)
    harness.kafka.bounds_of[PARTITION] = (8, 100)
    harness.assign()
    await harness.until_restored()
    assert interceptor.replayed == [8, 9]
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert len(warnings) == 1
    assert "telegraf/0: Kafka has deleted the records of offsets 4 to 7" in warnings[0]


async def test_state_of_which_the_beginning_was_deleted_is_not_used(caplog):
    interceptor = Recorder()
    harness = Harness(interceptor)
    harness.kafka.bounds_of["state", 0] = (3, 9)
    harness.assign()
    await harness.until_restored()
    assert interceptor.calls[-1][3] == {}
    assert "state/0 begins at offset 3" in caplog.text
