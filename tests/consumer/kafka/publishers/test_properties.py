"""The properties of a producer, and which of them the user may change."""

from __future__ import annotations

import pytest
from confluent_kafka import Producer

from consumer.kafka.publishers.properties import (
    BATCH_BYTES,
    MAX_RECORD_BYTES,
    producer_properties,
    with_size_limits,
)


def test_a_user_may_change_the_wait_for_a_batch_but_not_the_guarantee() -> None:
    properties = producer_properties({"linger.ms": "50", "enable.idempotence": "false"}, "consistent")
    assert properties["linger.ms"] == "50"
    assert properties["enable.idempotence"] is True
    assert properties["partitioner"] == "consistent"


@pytest.mark.parametrize(("batch_bytes", "used"), [(5_000, 5_000), (2 * BATCH_BYTES, BATCH_BYTES)])
def test_a_batch_is_not_larger_than_a_topic_accepts(batch_bytes: int, used: int) -> None:
    properties = producer_properties({}, "consistent")
    assert with_size_limits(properties, {}, 2_000_000, batch_bytes)["batch.size"] == used


def test_the_users_limit_of_a_record_leaves_room_for_a_dead_letter() -> None:
    for limit, used in (("1000", 2_000_000), ("3000000", 3_000_000)):
        client = {"message.max.bytes": limit, "batch.size": "5000"}
        changed = with_size_limits(producer_properties(client, "consistent"), client, 2_000_000, 1_000_000)
        assert (changed["message.max.bytes"], changed["batch.size"]) == (used, "5000")


def test_a_topic_may_allow_more_than_the_client() -> None:
    properties = producer_properties({}, "consistent") | {"bootstrap.servers": "127.0.0.1:9", "log_level": 0}
    changed = with_size_limits(properties, {}, 2**31 - 1, 1_000_000)
    assert changed["message.max.bytes"] == MAX_RECORD_BYTES
    Producer(changed)


@pytest.mark.parametrize("client", [{}, {"queue.buffering.max.kbytes": "1024"}])
def test_the_clients_queue_takes_the_largest_record(client: dict[str, str]) -> None:
    """A record that is larger than the whole queue would wait forever."""
    properties = producer_properties(client, "consistent") | {
        "bootstrap.servers": "127.0.0.1:9",
        "log_level": 0,
    }
    producer = Producer(with_size_limits(properties, client, 50_000_000, 1_000_000))
    producer.produce("dead-letters", bytes(49_000_000))
    producer.purge()
