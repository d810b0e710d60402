"""The properties of a producer, and which of them the user may change."""

from __future__ import annotations

import pytest

from consumer.kafka.publishers.properties import BATCH_BYTES, producer_properties, with_size_limits


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
