"""Topics and offsets that change, under a running consumer and while it is stopped."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic
from kafka_container import eventually
from testbed import ConsumerProcess, Stage

pytestmark = [pytest.mark.integration, pytest.mark.docker]


def admin(stage: Stage) -> AdminClient:
    return AdminClient({"bootstrap.servers": stage.bootstrap_servers, "log_level": 0})


def create_again(stage: Stage, topic: str, partitions: int = 4) -> None:
    client = admin(stage)
    for done in client.delete_topics([topic]).values():
        done.result(10)

    def is_created() -> bool:
        with contextlib.suppress(KafkaException):
            for done in client.create_topics([NewTopic(topic, partitions)]).values():
                done.result(10)
            return True
        return False

    eventually(is_created, 20, f"{topic} is created again")


def delete_records(stage: Stage, before: int, partition: int = 0) -> None:
    client = admin(stage)  # its answers come while it lives
    for done in client.delete_records([TopicPartition(stage.metrics, partition, before)]).values():
        done.result(10)


def commit(stage: Stage, offset: int, partition: int = 0) -> None:
    """As an operator resets a group's offsets."""
    group = Consumer({"bootstrap.servers": stage.bootstrap_servers, "group.id": f"group-{stage.tag}"})
    group.commit(offsets=[TopicPartition(stage.metrics, partition, offset)], asynchronous=False)
    group.close()


def produce(stage: Stage, first: int, count: int) -> list[str]:
    ids = [f"e{number}" for number in range(first, first + count)]
    for id_ in ids:
        stage.produce(id_, partition=0)
    stage.flush()
    return ids


def forecast_of(stage: Stage) -> list[str]:
    """The ids of the inputs, in the order of their forecasts."""
    return [
        dict(message.headers() or [])["ce_causationid"].decode()
        for message in stage.read_all(stage.forecasts)
    ]


def are_forecast(stage: Stage, ids: list[str]) -> None:
    eventually(
        lambda: set(ids) <= set(forecast_of(stage)),
        30,
        lambda: (
            f"{sorted(set(ids) - set(forecast_of(stage)))[:5]} forecast; {stage.started[-1].log()[-2000:]}"
        ),
    )


def lines(consumer: ConsumerProcess, text: str) -> list[str]:
    return [line for line in consumer.log().splitlines() if text in line]


def warnings(consumer: ConsumerProcess) -> list[str]:
    """Without the one about topics with one replica: this broker is alone."""
    return [line for line in lines(consumer, "WARNING") if "KAFKA-20734" not in line]


@pytest.mark.parametrize("count", [30, 10, 4])
def test_an_input_topic_that_is_created_again_is_read_from_its_beginning(
    kafka_stage: Stage, count: int
) -> None:
    stage = kafka_stage
    consumer = stage.consume()
    are_forecast(stage, produce(stage, 0, 10))
    create_again(stage, stage.metrics)
    are_forecast(stage, produce(stage, 100, count))
    eventually(lambda: lines(consumer, "deleted and created again"), 10, "the warning")
    are_forecast(stage, produce(stage, 200, 5))
    assert len(lines(consumer, "deleted and created again")) == 1
    assert consumer.terminate() == 0
    again = stage.consume("two")
    are_forecast(stage, produce(stage, 300, 5))
    assert not [id_ for id_ in forecast_of(stage) if forecast_of(stage).count(id_) > 2]
    assert warnings(again) == []


def test_an_input_topic_that_is_created_again_while_the_consumer_is_stopped(exact_stage: Stage) -> None:
    stage = exact_stage
    consumer = stage.consume()
    are_forecast(stage, produce(stage, 0, 10))
    assert consumer.terminate() == 0
    create_again(stage, stage.metrics)
    ids = produce(stage, 100, 30)
    stage.consume()
    are_forecast(stage, ids)
    assert forecast_of(stage)[10:] == ids


def test_records_that_are_deleted_before_they_are_read_are_one_warning(kafka_stage: Stage) -> None:
    stage = kafka_stage
    consumer = stage.consume()
    are_forecast(stage, produce(stage, 0, 10))
    assert consumer.terminate() == 0
    produce(stage, 10, 20)
    delete_records(stage, 25)
    again = stage.consume()
    are_forecast(stage, [f"e{number}" for number in range(25, 30)])
    (line,) = warnings(again)
    assert (
        f"{stage.metrics}/0: 15 records are lost: Kafka has deleted offsets 10 to 24 before they were read."
        " Reading continues at offset 25" in line
    )
    assert re.search(
        rf'^fncast_lost_records_total{{topic="{stage.metrics}"}} 15.0$', again.admin("/metrics")[1], re.M
    )
    assert forecast_of(stage)[10:] == [f"e{number}" for number in range(25, 30)]


@pytest.mark.parametrize(("offset", "first"), [(500, 0), (3, 3), (0, 0)])
def test_offsets_that_an_operator_resets_are_begun_at(exact_stage: Stage, offset: int, first: int) -> None:
    """Beyond the end nothing could ever be read: that is said, and reading begins at the beginning."""
    stage = exact_stage
    consumer = stage.consume()
    ids = produce(stage, 0, 10)
    are_forecast(stage, ids)
    assert consumer.terminate() == 0
    commit(stage, offset)
    again = stage.consume()
    eventually(lambda: len(forecast_of(stage)) == 20 - first, 30, "forecasts of what is read again")
    assert forecast_of(stage)[10:] == ids[first:]
    assert len(lines(again, "the group's offset 500 is beyond the end of the partition, 10")) == (
        offset == 500
    )


def test_partitions_that_are_added_are_read_and_written(exact_stage: Stage) -> None:
    stage = exact_stage
    consumer = stage.consume()
    are_forecast(stage, produce(stage, 0, 5))
    client = admin(stage)
    for topic in (stage.metrics, stage.forecasts):
        for done in client.create_partitions([NewPartitions(topic, 6)]).values():
            done.result(10)
    consumer.wait_for(f"{stage.metrics}/5", 40)

    def is_forecast_in_partition_5() -> bool:
        return any(message.partition() == 5 for message in stage.read_all(stage.forecasts))

    def is_produced() -> bool:  # the test's own producer has to hear of the partition, too
        with contextlib.suppress(KafkaException):
            stage.produce("new", partition=5)
            return True
        stage.producer.list_topics(stage.metrics, 5)
        return False

    eventually(is_produced, 20, "partition 5")
    stage.flush()
    eventually(is_forecast_in_partition_5, 20, lambda: consumer.log()[-2000:])
    assert lines(consumer, f"{stage.metrics} has 6 partitions and {stage.dead} 4: records go by key")


def test_the_lag_is_measured_while_a_route_is_out(
    exact_stage: Stage, answers: Any, until: Callable[..., Any]
) -> None:
    stage = exact_stage
    consumer = stage.consume()
    are_forecast(stage, produce(stage, 0, 5))
    stage.function.behaviour = answers.status(503)

    def lag() -> float:
        found = re.search(
            rf'^fncast_consumer_lag{{partition="0",topic="{stage.metrics}"}} (.*)$',
            consumer.admin("/metrics")[1],
            re.M,
        )
        return float(found[1]) if found else -1.0

    until(lambda: lag() == 0.0, 20, "nothing waits")
    produce(stage, 5, 9_000)
    until(lambda: lag() == 9_000.0, 20, lambda: f"9,000 records wait: {lag()}")
    assert json.loads(consumer.admin("/readyz")[1])["routes_out"] is not None
    stage.function.behaviour = answers.works
    until(lambda: lag() == 0.0, 60, lambda: f"nothing waits: {lag()}")


def test_a_static_member_that_was_killed_gets_its_partitions_back_and_a_second_one_ends_it(
    exact_stage: Stage,
) -> None:
    stage = exact_stage
    stage.variables["KAFKA__STATIC_MEMBERSHIP"] = "true"
    consumer = stage.consume()
    are_forecast(stage, produce(stage, 0, 5))
    consumer.kill()
    again = stage.consume()
    again.wait_for(f"assigned {stage.metrics}/0", 30)
    are_forecast(stage, produce(stage, 5, 5))
    assert forecast_of(stage) == [f"e{number}" for number in range(10)]
    second = stage.consume()
    assert again.wait(60) == 1
    assert "another consumer has joined the group" in again.log()
    assert "give each its own `instance` in [kafka]" in again.log()
    second.wait_for(f"assigned {stage.metrics}/0", 30)


def test_an_output_topic_that_takes_small_records_only_is_said_at_the_start(kafka_stage: Stage) -> None:
    stage = kafka_stage
    small = f"small-{stage.tag}"
    stage.make_topics(NewTopic(small, 4, config={"max.message.bytes": "500"}))
    stage.variables["KAFKA__OUTPUT_TOPIC"] = small
    ids = produce(stage, 0, 5)
    consumer = stage.consume()
    consumer.wait_for(
        f"the topic {small} allows records of 500 bytes, but the input topics allow 1048588,"
        " and a forecast that does not fit becomes a dead letter"
    )
    letters = stage.wait_for(stage.dead, len(ids))
    reasons = {dict(letter.headers() or [])["fncast-reason"].decode() for letter in letters}
    assert all("its forecast cannot be published: " in reason for reason in reasons), reasons
