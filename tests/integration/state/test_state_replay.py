"""Windows whose records after the snapshot are many or deleted, and a group without offsets, in exactly-once delivery.

Each test compares the forecasts with windows that are computed from the input topic alone.
"""

from __future__ import annotations

import json
from collections import Counter

import pytest
from assembled import (
    COMPACTED,
    check,
    expected,
    found,
    produce,
    records_of,
    run_once,
    wait_for,
    windows_of,
    write_state,
)
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from group_offsets import commit, committed
from kafka_container import PARTITIONS
from testbed import DeliveryTestbed

from consumer.state.keys import marker_key

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.timeout(240)]


@pytest.mark.parametrize("deleted", [10, 30])
def test_records_that_retention_has_deleted_are_named(
    windows: DeliveryTestbed, admin: AdminClient, deleted: int
) -> None:
    """The snapshot ends with the first run. The test commits 20 records after it by hand.

    deleted: how many records after the snapshot are deleted, fewer than the committed ones or more.
    """
    run_once(windows, 400)
    ends = committed(windows)
    first = {p.partition: p.offset for p in ends}
    produce(windows, 400, first=401)
    records = windows.read_all(windows.metrics)
    commit(windows, *(TopicPartition(p.topic, p.partition, p.offset + 20) for p in ends))
    cut = [TopicPartition(p.topic, p.partition, p.offset + deleted) for p in ends]
    for done in admin.delete_records(cut).values():
        done.result(10)
    consumer = windows.consume()
    before = {window.id_ for window in windows_of(records) if window.offset < first[window.partition]}
    left = windows_of(r for r in records if not 0 <= r.offset() - first[r.partition()] < deleted)
    wanted = {
        window.id_: window.values
        for window in left
        if window.id_ in before or window.offset >= first[window.partition] + max(20, deleted)
    }
    wait_for(windows, wanted)
    assert consumer.terminate() == 0
    check(windows, wanted)
    log = consumer.log()
    assert log.count("Kafka has deleted the records of offsets") == PARTITIONS
    assert (
        f"{windows.metrics}/0: Kafka has deleted the records of offsets {first[0]} to {first[0] + deleted - 1}"
        in log
    )


@pytest.mark.guarantee("a group without committed offsets begins with the first record that Kafka has")
def test_a_group_that_kafka_has_forgotten_begins_again(windows: DeliveryTestbed, admin: AdminClient) -> None:
    """A new group begins behind deleted records. Without its offsets, it publishes the same forecasts again."""
    produce(windows, 200)
    cut = [TopicPartition(windows.metrics, partition, 10) for partition in range(PARTITIONS)]
    for done in admin.delete_records(cut).values():
        done.result(10)
    log = run_once(windows, 200, first=201)
    assert "Kafka has deleted" not in log
    check(windows)
    before = found(windows)
    group = windows.group
    admin.delete_consumer_groups([group])[group].result(10)
    log = run_once(windows, 200, first=401)
    assert log.count("but reading begins at 10, so its") == PARTITIONS
    after = found(windows)
    wanted = expected(windows)
    assert Counter(id_ for _, id_, _ in after) == Counter([*wanted, *(id_ for _, id_, _ in before)])
    assert all(values == wanted[id_] for _, id_, values in after)


@pytest.mark.parametrize(
    "count", [100_000, pytest.param(1_000_000, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])]
)
def test_many_records_since_the_snapshot_are_read_again(windows: DeliveryTestbed, count: int) -> None:
    windows.create_topics(NewTopic(windows.state, PARTITIONS, config=COMPACTED))
    produce(windows, count)
    reader = windows.reader()
    places = [TopicPartition(windows.metrics, partition) for partition in range(PARTITIONS)]
    ends = [TopicPartition(p.topic, p.partition, reader.get_watermark_offsets(p, 20)[1]) for p in places]
    reader.close()
    commit(windows, *ends)
    for partition in range(PARTITIONS):
        marker = json.dumps({"partitions": PARTITIONS, "since": 0}).encode()
        write_state(windows, partition, marker_key(windows.group, (windows.metrics, partition)), marker)
    produce(windows, 100, first=count + 1)
    consumer = windows.consume()
    starts = {p.partition: p.offset for p in ends}
    wanted = {w.id_: w.values for w in windows_of(records_of(windows)) if w.offset >= starts[w.partition]}
    windows.wait_for(windows.forecasts, len(wanted), 60 + count / 2500)
    assert consumer.terminate() == 0
    check(windows, wanted)
