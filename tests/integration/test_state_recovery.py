"""State in exactly-once delivery when something is missing, wrong or in the way: each case of issue 18."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic, ResourceType
from consumer_process import ROOT
from kafka_container import PARTITIONS, eventually
from sums import check, expected, found, produce, wait_for_all, with_sums
from testbed import DeliveryTestbed

from consumer.state.keys import full_key, marker_key, parse
from tests.consumer.state.running_sums import HEADER

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.timeout(240)]

COMPACTED = {"cleanup.policy": "compact"}
OWNER = "tests.consumer.state.running_sums:RunningSums"


@pytest.fixture
def sums(exactly_once_testbed: DeliveryTestbed) -> Any:
    return with_sums(exactly_once_testbed)


@pytest.fixture
def admin(sums: Any) -> AdminClient:
    return AdminClient({"bootstrap.servers": sums.bootstrap_servers, "log_level": 0})


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
def test_kills_while_snapshots_are_written(sums: Any) -> None:
    dice = random.Random(18)
    for turn in range(6):
        produce(sums, 500, first=1 + 500 * turn)
        seen = len(found(sums)) if turn else 0
        consumer = sums.consume()
        wanted = seen + dice.randrange(1, 500)
        sums.wait_for(sums.forecasts, wanted)
        consumer.kill()
    consumer = sums.consume()
    wait_for_all(sums)
    assert consumer.terminate() == 0
    check(sums)


def test_a_rebalance_while_state_is_restored(sums: Any) -> None:
    run_once(sums, 2000)
    produce(sums, 1000, first=2001)
    consumers = [sums.consume(f"c{number}") for number in range(3)]
    consumers[0].wait_for("assigned")
    consumers[0].kill()
    consumers.append(sums.consume("late"))
    produce(sums, 1000, first=3001)
    wait_for_all(sums)
    assert [consumer.terminate() for consumer in consumers[1:]] == [0, 0, 0]
    check(sums)


@pytest.mark.parametrize("places", [1, 3, 7])
def test_the_state_topic_may_have_any_number_of_partitions_and_may_grow(
    sums: Any, admin: AdminClient, places: int
) -> None:
    sums.create_topics(NewTopic(sums.state, places, config=COMPACTED))
    run_once(sums, 400)
    admin.create_partitions([NewPartitions(sums.state, 9)])[sums.state].result(10)
    log = run_once(sums, 400, first=401)
    assert "has no state yet" not in log
    run_once(sums, 400, first=801)
    check(sums)
    newest = {(message.partition(), message.key()): message.value() for message in sums.read_all(sums.state)}
    for (place, key), value in newest.items():
        owner = parse(key)
        assert owner is not None
        assert (place == owner.partition % 9) == (value is not None), owner


def test_an_input_that_grows_keeps_its_state_and_begins_new_partitions(sums: Any, admin: AdminClient) -> None:
    run_once(sums, 400)
    admin.create_partitions([NewPartitions(sums.metrics, 2 * PARTITIONS)])[sums.metrics].result(10)
    run_once(sums, 400, first=401)
    check(sums)


@pytest.mark.guarantee("state whose topic was deleted starts again, with a log line")
def test_a_snapshot_that_is_missing(sums: Any) -> None:
    run_once(sums, 400)
    before = expected(sums)
    sums.delete_topic(sums.state)
    produce(sums, 40, first=401)
    consumer = sums.consume()
    consumer.wait_for("has no state yet")
    new = expected(sums).keys() - before.keys()
    eventually(lambda: new <= dict(found(sums)).keys(), 40, consumer.log)
    assert consumer.terminate() == 0


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (HEADER, b'{"version": 99, "next_offset": 1, "keys": 1}', "version 99 is not 1"),
        (HEADER, b'{"version"', "it is truncated"),
        (b"k1", b'{"su', "it is truncated"),
        (HEADER, None, "its header is missing"),
        (b"k1", None, "keys are there"),
    ],
)
@pytest.mark.guarantee("state that cannot be read stops the consumer with how to rebuild it")
def test_a_snapshot_that_cannot_be_read(sums: Any, name: bytes, value: bytes | None, said: str) -> None:
    for partition in range(PARTITIONS):
        sums.produce("1", b"k1", b"1", partition=partition)
    sums.flush()
    run_once(sums, 1)
    key = full_key(f"group-{sums.tag}", (sums.metrics, 0), OWNER, name)
    write_state(sums, 0, key, value)
    consumer = sums.consume()
    assert consumer.wait(30) == 1
    assert f"the state of {sums.metrics}/0 cannot be read: " in consumer.log()
    assert said in consumer.log()
    assert "fncast state reset" in consumer.log()


@pytest.mark.parametrize("deleted", [10, 30])
def test_records_that_retention_has_deleted_are_named(sums: Any, admin: AdminClient, deleted: int) -> None:
    """The snapshot is at the end of the first run. 20 records behind it are committed by hand. Of these, or of those
    behind the committed offset too, the first ones are deleted.
    """
    run_once(sums, 400)
    ends = committed(sums)
    produce(sums, 400, first=401)
    ahead = [TopicPartition(p.topic, p.partition, p.offset + 20) for p in ends]
    commit(sums, ahead)
    cut = [TopicPartition(p.topic, p.partition, p.offset + deleted) for p in ends]
    for done in admin.delete_records(cut).values():
        done.result(10)
    consumer = sums.consume()
    new = {f"{p.partition}:{p.offset + max(20, deleted)}" for p in ends}
    eventually(
        lambda: new <= {id_.partition(":")[2] for id_, _ in found(sums)},
        40,
        lambda: consumer.log()[-2000:],
    )
    assert consumer.terminate() == 0
    log = consumer.log()
    assert log.count("Kafka has deleted the records of offsets") == PARTITIONS
    first = ends[0].offset
    assert (
        f"{sums.metrics}/0: Kafka has deleted the records of offsets {first} to {first + deleted - 1}" in log
    )


@pytest.mark.parametrize(
    "count", [100_000, pytest.param(1_000_000, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])]
)
def test_many_records_since_the_snapshot_are_read_again(sums: Any, count: int) -> None:
    sums.create_topics(NewTopic(sums.state, PARTITIONS, config=COMPACTED))
    produce(sums, count)
    reader = sums.reader()
    places = [TopicPartition(sums.metrics, partition) for partition in range(PARTITIONS)]
    ends = [TopicPartition(p.topic, p.partition, reader.get_watermark_offsets(p, 20)[1]) for p in places]
    reader.close()
    commit(sums, ends)
    for partition in range(PARTITIONS):
        marker = json.dumps({"partitions": PARTITIONS, "since": 0}).encode()
        write_state(sums, partition, marker_key(f"group-{sums.tag}", (sums.metrics, partition)), marker)
    produce(sums, 100, first=count + 1)
    consumer = sums.consume()
    numbers = range(count + 1, count + 101)
    wanted = {(f"k{number % 8}", sum(range(number % 8, number + 1, 8))) for number in numbers}
    within_s = 60 + count / 2500

    def totals() -> set[tuple[str, int]]:
        return {(id_.partition(":")[0], total) for id_, total in found(sums) if ":closed:" not in id_}

    eventually(lambda: len(totals()) >= len(wanted), within_s, lambda: consumer.log()[-2000:])
    assert consumer.terminate() == 0
    assert totals() == wanted


def test_a_state_topic_that_is_not_compacted_is_an_error(sums: Any) -> None:
    sums.create_topics(NewTopic(sums.state, PARTITIONS))
    consumer = sums.consume()
    assert consumer.wait(30) == 1
    assert f"the topic '{sums.state}' has cleanup.policy=delete" in consumer.log()
    assert "--add-config cleanup.policy=compact" in consumer.log()


def test_the_state_topic_is_created_compacted_with_the_inputs_partitions(
    sums: Any, admin: AdminClient
) -> None:
    run_once(sums, 10)
    resource = ConfigResource(ResourceType.TOPIC, sums.state)
    config = admin.describe_configs([resource])[resource].result(10)
    assert config["cleanup.policy"].value == "compact"
    assert len(admin.list_topics(sums.state, 10).topics[sums.state].partitions) == PARTITIONS


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
def test_state_is_shown_and_rebuilt_by_an_operator(sums: Any) -> None:
    produce(sums, 400)
    consumer = sums.consume()
    wait_for_all(sums)
    rejected = fncast(sums, "reset", "--yes")
    assert rejected.returncode == 1
    assert f"the group 'group-{sums.tag}' has members (1)" in rejected.stderr
    assert consumer.terminate() == 0
    shown = [json.loads(line) for line in fncast(sums, "show", "--json").stdout.splitlines()]
    assert [(line["topic"], line["partition"], line["interceptor"]) for line in shown] == [
        (sums.metrics, partition, OWNER) for partition in range(PARTITIONS)
    ]
    assert sum(line["records"] for line in shown) == 8 + PARTITIONS  # keys, and a header for each partition
    assert fncast(sums, "show").stdout.splitlines()[0].split()[:2] == ["topic", "partition"]
    asked = fncast(sums, "reset")
    assert (asked.returncode, "pass --yes" in asked.stderr) == (1, True)
    done = fncast(sums, "reset", "--yes", "--replay")
    assert done.stdout == f"deleted the state of {PARTITIONS} partitions\n"
    assert fncast(sums, "show", "--json").stdout == ""
    log = run_once(sums, 100, first=401)
    assert "has no state yet" not in log
    check(sums)
