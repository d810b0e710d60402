"""Delivery to topics that are missing, or have another number of partitions than the input."""

from __future__ import annotations

import pytest
from confluent_kafka.admin import NewTopic
from forecast_checks import check_forecasts

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(150)]


@pytest.mark.guarantee("missing topics are created with as many partitions as the input")
def test_missing_topics_are_created_like_the_input(exactly_once_testbed, answers):
    testbed = exactly_once_testbed
    testbed.forecasts, testbed.dead = f"new-forecasts-{testbed.tag}", f"new-dead-{testbed.tag}"
    ids = testbed.produce_many(50)
    testbed.produce("", b"k", b"x", [])
    testbed.flush()
    consumer = testbed.consume()
    testbed.wait_for(testbed.forecasts, 50)
    testbed.wait_for(testbed.dead, 1)
    assert consumer.terminate() == 0
    reader = testbed.reader()
    topics = reader.list_topics(timeout=10).topics
    reader.close()
    assert len(topics[testbed.forecasts].partitions) == len(topics[testbed.dead].partitions) == 4
    check_forecasts(testbed, ids, repeats=False)


@pytest.mark.guarantee("order holds by key where input and output have different numbers of partitions")
def test_another_number_of_partitions_keeps_order_per_key(exactly_once_testbed, answers):
    testbed = exactly_once_testbed
    testbed.forecasts = f"few-{testbed.tag}"
    testbed.create_topics(NewTopic(testbed.forecasts, 3))
    testbed.function.behaviour = answers.at_random
    ids = testbed.produce_many(600)
    consumer = testbed.consume(FN__BATCH_EVENTS="16")
    outputs = testbed.wait_for(testbed.forecasts, 600)
    assert consumer.terminate() == 0
    assert "order holds per key" in consumer.log()
    check_forecasts(testbed, ids, repeats=False)
    partitions = {message.key(): set() for message in outputs}
    for message in outputs:
        partitions[message.key()].add(message.partition())
    assert all(len(of_key) == 1 for of_key in partitions.values())
