"""Windows in exactly-once delivery when state is missing, wrong or in the way: each case of issue 18.

Each test compares the forecasts with windows that are computed from the input topic alone.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from typing import Any

import msgspec
import pytest
from assembled import (
    KEYS,
    OWNER,
    check,
    expected,
    found,
    produce,
    records_of,
    wait_for,
    wait_for_all,
    windows_of,
    with_windows,
)
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic, ResourceType
from consumer_process import ROOT
from kafka_container import PARTITIONS
from testbed import DeliveryTestbed

from consumer.state.keys import full_key, marker_key, parse
from interceptor.assembly.snapshot import HEAD
from interceptor.assembly.snapshot_format import BUCKET_KEY

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.timeout(240)]

COMPACTED = {"cleanup.policy": "compact"}
FAULTY = ROOT / "tests" / "chaos" / "faulty_consumer.py"


@pytest.fixture
def windows(exactly_once_testbed: DeliveryTestbed) -> Any:
    return with_windows(exactly_once_testbed)


@pytest.fixture
def admin(windows: Any) -> AdminClient:
    return AdminClient({"bootstrap.servers": windows.bootstrap_servers, "log_level": 0})


def committed(testbed: Any) -> list[TopicPartition]:
    consumer = Consumer({"bootstrap.servers": testbed.bootstrap_servers, "group.id": f"group-{testbed.tag}"})
    try:
        return consumer.committed([TopicPartition(testbed.metrics, p) for p in range(PARTITIONS)], 10)
    finally:
        consumer.close()


def commit(testbed: Any, offsets: list[TopicPartition]) -> None:
    consumer = Consumer({"bootstrap.servers": testbed.bootstrap_servers, "group.id": f"group-{testbed.tag}"})
    consumer.commit(offsets=offsets, asynchronous=False)
    consumer.close()


def write_state(testbed: Any, place: int, key: bytes, value: bytes | None) -> None:
    testbed.producer.produce(testbed.state, value, key, place)
    testbed.flush()


def run_once(testbed: Any, count: int, first: int = 1) -> str:
    """Produce, consume all of it, and stop. Returns the consumer's log."""
    produce(testbed, count, first=first)
    consumer = testbed.consume()
    wait_for_all(testbed)
    assert consumer.terminate() == 0
    return str(consumer.log())


@pytest.mark.guarantee("a kill at any moment loses no state and repeats no result")
def test_kills_while_snapshots_are_written(windows: Any) -> None:
    """Kills at a random moment, and between two parts of one snapshot. Snapshots follow each other without a pause."""
    dice, keys = random.Random(18), 320
    programs = [["--crash", "during-snapshot:1"], ["--crash", "during-snapshot:5"], [], []]
    for turn, words in enumerate(programs):
        produce(windows, 1000, first=1 + 1000 * turn, keys=keys)
        seen = len(found(windows)) if turn else 0
        consumer = windows.consume(program=[str(FAULTY), "--snapshot-s", "0", *words], FN__BATCH_EVENTS="50")
        if words:
            assert consumer.wait(60) == -signal.SIGKILL
        else:
            windows.wait_for(windows.forecasts, seen + dice.randrange(1, 500))
            consumer.kill()
    consumer = windows.consume()
    wait_for_all(windows)
    assert consumer.terminate() == 0
    assert "restored the state of" in consumer.log()
    check(windows)


def test_a_rebalance_while_state_is_restored(windows: Any) -> None:
    run_once(windows, 2000)
    produce(windows, 1000, first=2001)
    killed = windows.consume("killed", program=[str(FAULTY), "--crash", "during-restore:2"])
    killed.wait_for("assigned")
    consumers = [windows.consume(f"c{number}") for number in range(2)]
    assert killed.wait(60) == -signal.SIGKILL
    consumers.append(windows.consume("late"))
    produce(windows, 1000, first=3001)
    wait_for_all(windows)
    assert [consumer.terminate() for consumer in consumers] == [0, 0, 0]
    check(windows)


@pytest.mark.parametrize("places", [1, 3, 7])
def test_the_state_topic_may_have_any_number_of_partitions_and_may_grow(
    windows: Any, admin: AdminClient, places: int
) -> None:
    windows.create_topics(NewTopic(windows.state, places, config=COMPACTED))
    run_once(windows, 400)
    admin.create_partitions([NewPartitions(windows.state, 9)])[windows.state].result(10)
    log = run_once(windows, 400, first=401)
    assert "has no state yet" not in log
    assert log.count(", 0 records read again") == PARTITIONS  # a clean stop leaves a snapshot
    run_once(windows, 400, first=801)
    check(windows)
    newest = {
        (message.partition(), message.key()): message.value() for message in windows.read_all(windows.state)
    }
    for (place, key), value in newest.items():
        owner = parse(key)
        assert owner is not None
        assert (place == owner.partition % 9) == (value is not None), owner


def test_an_input_that_grows_keeps_its_state_and_begins_new_partitions(
    windows: Any, admin: AdminClient
) -> None:
    run_once(windows, 400)
    admin.create_partitions([NewPartitions(windows.metrics, 2 * PARTITIONS)])[windows.metrics].result(10)
    run_once(windows, 400, first=401)
    check(windows)


@pytest.mark.guarantee("state whose topic was deleted starts again, with a log line")
def test_a_snapshot_that_is_missing(windows: Any) -> None:
    run_once(windows, 400)
    before = expected(windows)
    ends = {each.partition: each.offset for each in committed(windows)}
    windows.delete_topic(windows.state)
    produce(windows, 200, first=401)
    consumer = windows.consume()
    consumer.wait_for("has no state yet")
    records = windows.read_all(windows.metrics)
    new = windows_of(record for record in records if record.offset() >= ends[record.partition()])
    wanted = before | {window.id_: window.values for window in new}
    wait_for(windows, wanted)
    assert consumer.terminate() == 0
    check(windows, wanted)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            HEAD,
            msgspec.msgpack.encode([99, 1, 0, 1, ""]),
            "it was written by a newer version of fncast (format 99",
        ),
        (BUCKET_KEY % 0, b"\x92\x05", "truncated"),
        (HEAD, None, "its head is missing"),
        (BUCKET_KEY % 0, None, "bucket 0 is missing"),
    ],
)
@pytest.mark.guarantee("state that cannot be read stops the consumer with how to rebuild it")
def test_a_snapshot_that_cannot_be_read(windows: Any, name: bytes, value: bytes | None, said: str) -> None:
    run_once(windows, 100)
    assert committed(windows)[0].offset > 0  # the partition has state
    write_state(windows, 0, full_key(f"group-{windows.tag}", (windows.metrics, 0), OWNER, name), value)
    consumer = windows.consume()
    assert consumer.wait(30) == 1
    assert f"the state of {windows.metrics}/0 cannot be read: " in consumer.log()
    assert said in consumer.log()
    assert "fncast state reset --replay" in consumer.log()


@pytest.mark.parametrize("deleted", [10, 30])
def test_records_that_retention_has_deleted_are_named(windows: Any, admin: AdminClient, deleted: int) -> None:
    """The snapshot is at the end of the first run. 20 records behind it are committed by hand. Of these, or of those
    behind the committed offset too, the first ones are deleted.
    """
    run_once(windows, 400)
    ends = committed(windows)
    first = {p.partition: p.offset for p in ends}
    produce(windows, 400, first=401)
    records = windows.read_all(windows.metrics)
    commit(windows, [TopicPartition(p.topic, p.partition, p.offset + 20) for p in ends])
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
def test_a_group_that_kafka_has_forgotten_begins_again(windows: Any, admin: AdminClient) -> None:
    """A new group begins behind deleted records. Without its offsets, it publishes the same forecasts again."""
    produce(windows, 200)
    cut = [TopicPartition(windows.metrics, partition, 10) for partition in range(PARTITIONS)]
    for done in admin.delete_records(cut).values():
        done.result(10)
    log = run_once(windows, 200, first=201)
    assert "Kafka has deleted" not in log
    check(windows)
    before = found(windows)
    group = f"group-{windows.tag}"
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
def test_many_records_since_the_snapshot_are_read_again(windows: Any, count: int) -> None:
    windows.create_topics(NewTopic(windows.state, PARTITIONS, config=COMPACTED))
    produce(windows, count)
    reader = windows.reader()
    places = [TopicPartition(windows.metrics, partition) for partition in range(PARTITIONS)]
    ends = [TopicPartition(p.topic, p.partition, reader.get_watermark_offsets(p, 20)[1]) for p in places]
    reader.close()
    commit(windows, ends)
    for partition in range(PARTITIONS):
        marker = json.dumps({"partitions": PARTITIONS, "since": 0}).encode()
        write_state(
            windows, partition, marker_key(f"group-{windows.tag}", (windows.metrics, partition)), marker
        )
    produce(windows, 100, first=count + 1)
    consumer = windows.consume()
    starts = {p.partition: p.offset for p in ends}
    wanted = {w.id_: w.values for w in windows_of(records_of(windows)) if w.offset >= starts[w.partition]}
    windows.wait_for(windows.forecasts, len(wanted), 60 + count / 2500)
    assert consumer.terminate() == 0
    check(windows, wanted)


def test_a_state_topic_that_is_not_compacted_is_an_error(windows: Any) -> None:
    windows.create_topics(NewTopic(windows.state, PARTITIONS))
    consumer = windows.consume()
    assert consumer.wait(30) == 1
    assert f"the topic '{windows.state}' has cleanup.policy=delete" in consumer.log()
    assert "--add-config cleanup.policy=compact" in consumer.log()


def test_the_state_topic_is_created_compacted_with_the_inputs_partitions(
    windows: Any, admin: AdminClient
) -> None:
    run_once(windows, 40)
    resource = ConfigResource(ResourceType.TOPIC, windows.state)
    config = admin.describe_configs([resource])[resource].result(10)
    assert config["cleanup.policy"].value == "compact"
    assert len(admin.list_topics(windows.state, 10).topics[windows.state].partitions) == PARTITIONS


def fncast(testbed: Any, *words: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "fncast",
        "state",
        *words,
        "--bootstrap-servers",
        testbed.bootstrap_servers,
    ]
    variables = {"FNCAST_KAFKA__GROUP_ID": f"group-{testbed.tag}", "FNCAST_KAFKA__STATE_TOPIC": testbed.state}
    return subprocess.run(
        command, env=os.environ | variables, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.guarantee("state is rebuilt from the input after a reset with --replay")
def test_state_is_shown_and_rebuilt_by_an_operator(windows: Any) -> None:
    produce(windows, 400)
    consumer = windows.consume()
    wait_for_all(windows)
    rejected = fncast(windows, "reset", "--yes")
    assert rejected.returncode == 1
    assert f"the group 'group-{windows.tag}' has members (1)" in rejected.stderr
    assert consumer.terminate() == 0
    shown = [json.loads(line) for line in fncast(windows, "show", "--json").stdout.splitlines()]
    assert [(line["topic"], line["partition"], line["interceptor"]) for line in shown] == [
        (windows.metrics, partition, OWNER) for partition in range(PARTITIONS)
    ]
    assert sum(line["series"] for line in shown) == KEYS
    assert sum(line["records"] for line in shown) == 2 * PARTITIONS  # a bucket of series and a head
    assert fncast(windows, "show").stdout.splitlines()[0].split()[:2] == ["topic", "partition"]
    asked = fncast(windows, "reset")
    assert (asked.returncode, "pass --yes" in asked.stderr) == (1, True)
    done = fncast(windows, "reset", "--yes", "--replay")
    assert done.stdout == f"deleted the state of {PARTITIONS} partitions\n"
    assert fncast(windows, "show", "--json").stdout == ""
    log = run_once(windows, 100, first=401)
    assert "has no state yet" not in log
    check(windows)
