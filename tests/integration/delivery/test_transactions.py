"""Exactly-once beside other producers, and with a broker that does not answer."""

from __future__ import annotations

import signal
from collections import Counter

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from forecast_checks import inputs_of
from testbed import DeliveryTestbed

from consumer.kafka.source.source import KafkaSource
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.timeout(150)]


def transactional(testbed: DeliveryTestbed, identity: str, timeout_ms: int = 60_000) -> Producer:
    producer = Producer(
        {
            "bootstrap.servers": testbed.bootstrap_servers,
            "transactional.id": f"{testbed.tag}-{identity}",
            "transaction.timeout.ms": timeout_ms,
        }
    )
    producer.init_transactions(30)
    return producer


@pytest.mark.guarantee("an open transaction of another producer with the same records changes nothing")
def test_an_open_transaction_with_the_identical_forecast_changes_nothing(exactly_once_testbed, tmp_path):
    """A crashed instance has left a transaction open with the same records: forecasts are deterministic."""
    testbed = exactly_once_testbed
    elsewhere = DeliveryTestbed(testbed.bootstrap_servers, testbed.delivery, testbed.function, tmp_path)
    elsewhere.create_topics(*elsewhere.topics())
    elsewhere.produce("k:0", b"k", partition=0)
    elsewhere.flush()
    elsewhere.consume("elsewhere")
    try:
        (first,) = elsewhere.wait_for(elsewhere.forecasts, 1)
    finally:
        elsewhere.close()
    consumer = testbed.consume()
    consumer.wait_for("assigned")
    died = transactional(testbed, "died", timeout_ms=20_000)
    died.begin_transaction()
    died.produce(testbed.forecasts, first.value(), first.key(), 0, headers=first.headers())
    assert died.flush(10) == 0
    ids = [f"k:{number}" for number in range(5)]
    for id_ in ids:
        testbed.produce(id_, b"k", partition=0)
    testbed.flush()
    found = testbed.wait_for(testbed.forecasts, 5, 60)
    assert (found[0].value(), found[0].headers()) == (first.value(), first.headers())
    testbed.produce("k:5", b"k", partition=0)
    testbed.flush()
    testbed.wait_for(testbed.forecasts, 6)
    assert consumer.terminate() == 0
    assert inputs_of(testbed.read_all(testbed.forecasts)) == [*ids, "k:5"]


@pytest.mark.guarantee("another member takes over after kill -9 and repeats nothing")
@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_killed_consumer_that_stays_away_repeats_nothing(exactly_once_testbed, answers, protocol):
    """A consumer is killed between its records and their offsets, and is not started again to abort its transaction."""
    testbed = exactly_once_testbed
    testbed.variables |= {"KAFKA__CLIENT__GROUP_PROTOCOL": protocol, "FN__BATCH_EVENTS": "16"}
    testbed.function.behaviour = answers.at_random
    killed, other = testbed.consume("killed"), testbed.consume("other")
    killed.wait_for("assigned")
    other.wait_for("assigned")
    ids = testbed.produce_many(1500)
    testbed.wait_for(testbed.forecasts, 200)
    killed.process.send_signal(signal.SIGSTOP)  # between any two steps
    killed.kill()
    ids += testbed.produce_many(500, first=1500)
    testbed.wait_for(testbed.forecasts, len(ids), 80)
    assert other.terminate() == 0
    counts = Counter(inputs_of(testbed.read_all(testbed.forecasts)))
    assert set(counts) == set(ids)
    assert set(counts.values()) == {1}


@pytest.mark.guarantee("the offsets of an open transaction are waited for")
def test_the_committed_offsets_of_an_open_transaction_are_waited_for(exactly_once_testbed):
    """`KafkaSource.committed` decides whether results are published again, so it must not return a pending offset."""
    testbed = exactly_once_testbed
    group = testbed.group
    partition = (testbed.metrics, 0)
    reader = Consumer({"bootstrap.servers": testbed.bootstrap_servers, "group.id": group})
    open_one = transactional(testbed, "open")
    open_one.begin_transaction()
    offsets = [TopicPartition(*partition, 7)]
    open_one.send_offsets_to_transaction(offsets, reader.consumer_group_metadata(), 10)
    source = KafkaSource({"bootstrap.servers": testbed.bootstrap_servers}, group)
    assert source.committed([partition], 2.0) is None
    open_one.commit_transaction(10)
    eventually(lambda: source.committed([partition], 2.0) == {partition: 7}, 20)
    source.close()
    reader.close()


@pytest.mark.guarantee("a new producer of the same identity aborts the old transaction")
def test_a_new_producer_of_the_same_identity_ends_the_old_ones_transaction(exactly_once_testbed):
    testbed = exactly_once_testbed
    group = testbed.group
    partition = (testbed.metrics, 0)
    reader = Consumer({"bootstrap.servers": testbed.bootstrap_servers, "group.id": group})
    old = transactional(testbed, "one")
    old.begin_transaction()
    old.produce(testbed.forecasts, b"of the old one", partition=0)
    old.flush(10)
    old.send_offsets_to_transaction([TopicPartition(*partition, 7)], reader.consumer_group_metadata(), 10)
    source = KafkaSource({"bootstrap.servers": testbed.bootstrap_servers}, group)
    transactional(testbed, "one")
    committed = eventually(lambda: source.committed([partition], 2.0), 20)
    assert committed[partition] < 0
    assert testbed.read_all(testbed.forecasts) == []
    with pytest.raises(KafkaException):
        old.commit_transaction(10)
    source.close()
    reader.close()


@pytest.mark.guarantee("a stop while the broker is paused ends within 5 s and repeats nothing")
@pytest.mark.slow
@pytest.mark.parametrize("own_kafka_testbed", ["exactly-once"], indirect=True)
def test_a_stop_while_the_broker_is_paused_ends_within_5_s_and_repeats_nothing(
    own_kafka_testbed, own_kafka, answers
):
    testbed = own_kafka_testbed
    testbed.function.behaviour = answers.at_random
    consumer = testbed.consume(FN__BATCH_EVENTS="16")
    ids = testbed.produce_many(2000)
    testbed.wait_for(testbed.forecasts, 100)
    with own_kafka.paused():
        assert consumer.terminate(within_s=5.0) == 0
    again = testbed.consume("again", FN__BATCH_EVENTS="16")
    ids += testbed.produce_many(500, first=2000)
    testbed.wait_for(testbed.forecasts, len(ids), 80)
    assert again.terminate() == 0
    counts = Counter(inputs_of(testbed.read_all(testbed.forecasts)))
    assert set(counts) == set(ids)
    assert set(counts.values()) == {1}


@pytest.mark.slow
@pytest.mark.parametrize("of_dead_letters", [False, True], ids=["output", "dead letters"])
@pytest.mark.guarantee("an output topic that is deleted is named and created again")
def test_a_topic_that_is_deleted_is_named_and_created_again(kafka_testbed, answers, of_dead_letters):
    testbed = kafka_testbed
    topic = testbed.dead if of_dead_letters else testbed.forecasts
    consumer = testbed.consume()
    attributes = {"destination": "nobody"} if of_dead_letters else {}
    testbed.produce("k:0", b"k", **attributes)
    testbed.flush()
    testbed.wait_for(topic, 1)
    testbed.delete_topic(topic)
    for number in range(1, 50):
        testbed.produce(f"k:{number}", b"k", **attributes)
    testbed.flush()
    name = "ce_id" if of_dead_letters else "ce_causationid"
    found = [dict(record.headers())[name].decode() for record in testbed.wait_for(topic, 49, 100)]
    assert list(dict.fromkeys(found)) == [f"k:{number}" for number in range(1, 50)]
    assert len(found) == 49 or not testbed.is_exactly_once
    assert consumer.log().count(f"the topic {topic} is missing") == 1
    assert consumer.terminate() == 0


@pytest.mark.guarantee("topics with one replica are one warning at the start")
def test_topics_with_one_replica_are_one_warning_at_the_start(exactly_once_testbed):
    consumer = exactly_once_testbed.consume()
    consumer.wait_for("assigned")
    warnings = [line for line in consumer.log().splitlines() if "KAFKA-20734" in line]
    assert len(warnings) == 1
    assert exactly_once_testbed.forecasts in warnings[0]
    assert consumer.terminate() == 0
