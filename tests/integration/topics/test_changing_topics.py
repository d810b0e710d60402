"""Topics and offsets that change, under a running consumer and while it is stopped."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic
from consumer_process import ConsumerProcess
from group_offsets import commit
from testbed import DeliveryTestbed

from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.docker]


def admin(testbed: DeliveryTestbed) -> AdminClient:
    return AdminClient({"bootstrap.servers": testbed.bootstrap_servers, "log_level": 0})


def create_again(testbed: DeliveryTestbed, topic: str, partitions: int = 4) -> None:
    client = admin(testbed)
    for done in client.delete_topics([topic]).values():
        done.result(10)

    def is_created() -> bool:
        with contextlib.suppress(KafkaException):
            for done in client.create_topics([NewTopic(topic, partitions)]).values():
                done.result(10)
            return True
        return False

    eventually(is_created, 20, f"{topic} is created again")


def delete_records(testbed: DeliveryTestbed, before: int, partition: int = 0) -> None:
    client = admin(testbed)  # keep the client until its answers have arrived
    for done in client.delete_records([TopicPartition(testbed.metrics, partition, before)]).values():
        done.result(10)


def produce(testbed: DeliveryTestbed, first: int, count: int) -> list[str]:
    ids = [f"e{number}" for number in range(first, first + count)]
    for id_ in ids:
        testbed.produce(id_, partition=0)
    testbed.flush()
    return ids


def forecast_of(testbed: DeliveryTestbed) -> list[str]:
    """Return the ids of the inputs, in the order of their forecasts."""
    return [
        dict(message.headers() or [])["ce_causationid"].decode()
        for message in testbed.read_all(testbed.forecasts)
    ]


def are_forecast(testbed: DeliveryTestbed, ids: list[str]) -> None:
    eventually(
        lambda: set(ids) <= set(forecast_of(testbed)),
        30,
        lambda: (
            f"{sorted(set(ids) - set(forecast_of(testbed)))[:5]} forecast; {testbed.started[-1].log()[-2000:]}"
        ),
    )


def lines(consumer: ConsumerProcess, text: str) -> list[str]:
    return [line for line in consumer.log().splitlines() if text in line]


def warnings(consumer: ConsumerProcess) -> list[str]:
    """Return the warnings except the one about topics with one replica: this broker is alone."""
    return [line for line in lines(consumer, "WARNING") if "KAFKA-20734" not in line]


@pytest.mark.parametrize("count", [30, 10, 4])
def test_an_input_topic_that_is_created_again_is_read_from_its_beginning(
    kafka_testbed: DeliveryTestbed, count: int
) -> None:
    testbed = kafka_testbed
    consumer = testbed.consume()
    are_forecast(testbed, produce(testbed, 0, 10))
    create_again(testbed, testbed.metrics)
    are_forecast(testbed, produce(testbed, 100, count))
    eventually(lambda: lines(consumer, "deleted and created again"), 10, "the warning")
    are_forecast(testbed, produce(testbed, 200, 5))
    assert len(lines(consumer, "deleted and created again")) == 1
    assert consumer.terminate() == 0
    again = testbed.consume("two")
    are_forecast(testbed, produce(testbed, 300, 5))
    assert not [id_ for id_ in forecast_of(testbed) if forecast_of(testbed).count(id_) > 2]
    assert warnings(again) == []


def test_an_input_topic_that_is_created_again_while_no_consumer_runs_is_read_from_its_beginning(
    exactly_once_testbed: DeliveryTestbed,
) -> None:
    testbed = exactly_once_testbed
    consumer = testbed.consume()
    are_forecast(testbed, produce(testbed, 0, 10))
    assert consumer.terminate() == 0
    create_again(testbed, testbed.metrics)
    ids = produce(testbed, 100, 30)
    testbed.consume()
    are_forecast(testbed, ids)
    assert forecast_of(testbed)[10:] == ids


def test_records_that_are_deleted_before_they_are_read_are_one_warning(
    kafka_testbed: DeliveryTestbed,
) -> None:
    testbed = kafka_testbed
    consumer = testbed.consume()
    are_forecast(testbed, produce(testbed, 0, 10))
    assert consumer.terminate() == 0
    produce(testbed, 10, 20)
    delete_records(testbed, 25)
    again = testbed.consume()
    are_forecast(testbed, [f"e{number}" for number in range(25, 30)])
    (line,) = warnings(again)
    assert (
        f"{testbed.metrics}/0: 15 records are lost: Kafka has deleted offsets 10 to 24 before they were read."
        " Reading continues at offset 25" in line
    )
    assert re.search(
        rf'^fncast_lost_records_total{{topic="{testbed.metrics}"}} 15.0$', again.admin("/metrics")[1], re.M
    )
    assert forecast_of(testbed)[10:] == [f"e{number}" for number in range(25, 30)]


@pytest.mark.parametrize(("offset", "first"), [(500, 0), (3, 3), (0, 0)])
def test_reading_starts_at_offsets_that_an_operator_has_reset(
    exactly_once_testbed: DeliveryTestbed, offset: int, first: int
) -> None:
    """An offset beyond the end is logged, and reading restarts at the first offset."""
    testbed = exactly_once_testbed
    consumer = testbed.consume()
    ids = produce(testbed, 0, 10)
    are_forecast(testbed, ids)
    assert consumer.terminate() == 0
    commit(testbed, TopicPartition(testbed.metrics, 0, offset))
    again = testbed.consume()
    eventually(lambda: len(forecast_of(testbed)) == 20 - first, 30, "forecasts of what is read again")
    assert forecast_of(testbed)[10:] == ids[first:]
    assert len(lines(again, "the group's offset 500 is beyond the end of the partition, 10")) == (
        offset == 500
    )


def test_partitions_that_are_added_are_read_and_written(exactly_once_testbed: DeliveryTestbed) -> None:
    testbed = exactly_once_testbed
    consumer = testbed.consume()
    are_forecast(testbed, produce(testbed, 0, 5))
    client = admin(testbed)
    for topic in (testbed.metrics, testbed.forecasts):
        for done in client.create_partitions([NewPartitions(topic, 6)]).values():
            done.result(10)
    consumer.wait_for(f"{testbed.metrics}/5", 40)

    def is_forecast_in_partition_5() -> bool:
        return any(message.partition() == 5 for message in testbed.read_all(testbed.forecasts))

    def is_produced() -> bool:  # the producer of the test must find the partition, too
        with contextlib.suppress(KafkaException):
            testbed.produce("new", partition=5)
            return True
        testbed.producer.list_topics(testbed.metrics, 5)
        return False

    eventually(is_produced, 20, "partition 5")
    testbed.flush()
    eventually(is_forecast_in_partition_5, 20, lambda: consumer.log()[-2000:])
    assert lines(consumer, f"{testbed.metrics} has 6 partitions and {testbed.dead} 4: records go by key")


def test_the_lag_is_measured_while_a_route_is_out(
    exactly_once_testbed: DeliveryTestbed, answers: Any, until: Callable[..., Any]
) -> None:
    testbed = exactly_once_testbed
    consumer = testbed.consume()
    are_forecast(testbed, produce(testbed, 0, 5))
    testbed.function.behaviour = answers.status(503)

    def lag() -> float:
        found = re.search(
            rf'^fncast_consumer_lag{{partition="0",topic="{testbed.metrics}"}} (.*)$',
            consumer.admin("/metrics")[1],
            re.M,
        )
        return float(found[1]) if found else -1.0

    until(lambda: lag() == 0.0, 20, "nothing waits")
    produce(testbed, 5, 9_000)
    until(lambda: lag() == 9_000.0, 20, lambda: f"9,000 records wait: {lag()}")
    assert json.loads(consumer.admin("/readyz")[1])["routes_out"] is not None
    testbed.function.behaviour = answers.works
    until(lambda: lag() == 0.0, 60, lambda: f"nothing waits: {lag()}")


def test_a_killed_static_member_gets_its_partitions_back_and_a_second_member_of_its_name_ends_it(
    exactly_once_testbed: DeliveryTestbed,
) -> None:
    testbed = exactly_once_testbed
    testbed.variables["KAFKA__STATIC_MEMBERSHIP"] = "true"
    consumer = testbed.consume()
    are_forecast(testbed, produce(testbed, 0, 5))
    consumer.kill()
    again = testbed.consume()
    again.wait_for(f"assigned {testbed.metrics}/0", 30)
    are_forecast(testbed, produce(testbed, 5, 5))
    assert forecast_of(testbed) == [f"e{number}" for number in range(10)]
    second = testbed.consume()
    assert again.wait(60) == 1
    assert "another consumer has joined the group" in again.log()
    assert "give each its own `instance` in [kafka]" in again.log()
    second.wait_for(f"assigned {testbed.metrics}/0", 30)


def test_an_output_topic_for_small_records_only_is_reported_at_the_start(
    kafka_testbed: DeliveryTestbed,
) -> None:
    testbed = kafka_testbed
    small = f"small-{testbed.tag}"
    testbed.create_topics(NewTopic(small, 4, config={"max.message.bytes": "500"}))
    testbed.variables["KAFKA__OUTPUT_TOPIC"] = small
    ids = produce(testbed, 0, 5)
    consumer = testbed.consume()
    consumer.wait_for(
        f"the topic {small} allows records of 500 bytes, but the input topics allow 1048588,"
        " and a forecast that does not fit becomes a dead letter"
    )
    letters = testbed.wait_for(testbed.dead, len(ids))
    reasons = {dict(letter.headers() or [])["fncast-reason"].decode() for letter in letters}
    assert all("its forecast cannot be published: " in reason for reason in reasons), reasons
