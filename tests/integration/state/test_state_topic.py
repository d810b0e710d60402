"""The state topic in exactly-once delivery: how it is created, its number of partitions, and that of the input.

Each test compares the forecasts with windows that are computed from the input topic alone.
"""

from __future__ import annotations

import pytest
from assembled import COMPACTED, check, run_once
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic, ResourceType
from kafka_container import PARTITIONS
from testbed import DeliveryTestbed

from consumer.state.keys import parse

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.timeout(240)]


def test_the_state_topic_is_created_compacted_with_the_inputs_partitions(
    windows: DeliveryTestbed, admin: AdminClient
) -> None:
    run_once(windows, 40)
    resource = ConfigResource(ResourceType.TOPIC, windows.state)
    config = admin.describe_configs([resource])[resource].result(10)
    assert config["cleanup.policy"].value == "compact"
    assert len(admin.list_topics(windows.state, 10).topics[windows.state].partitions) == PARTITIONS


def test_a_state_topic_that_is_not_compacted_is_an_error(windows: DeliveryTestbed) -> None:
    windows.create_topics(NewTopic(windows.state, PARTITIONS))
    consumer = windows.consume()
    assert consumer.wait(30) == 1
    assert f"the topic '{windows.state}' has cleanup.policy=delete" in consumer.log()
    assert "--add-config cleanup.policy=compact" in consumer.log()


@pytest.mark.parametrize("places", [1, 3, 7])
def test_the_state_topic_may_have_any_number_of_partitions_and_may_grow(
    windows: DeliveryTestbed, admin: AdminClient, places: int
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
    windows: DeliveryTestbed, admin: AdminClient
) -> None:
    run_once(windows, 400)
    admin.create_partitions([NewPartitions(windows.metrics, 2 * PARTITIONS)])[windows.metrics].result(10)
    run_once(windows, 400, first=401)
    check(windows)
