"""The properties of the consumer's client."""

from __future__ import annotations

from consumer.kafka.source.properties import is_eager, source_properties

SERVERS = {"bootstrap.servers": "kafka:9092"}


def test_the_users_properties_replace_defaults_but_not_the_delivery_guarantee() -> None:
    wanted = {**SERVERS, "fetch.max.bytes": "1", "enable.auto.commit": "true"}
    properties = source_properties(wanted, "group")
    assert (properties["fetch.max.bytes"], properties["enable.auto.commit"]) == ("1", False)
    assert "group.instance.id" not in properties
    assert source_properties(SERVERS, "group", "pod-0")["group.instance.id"] == "pod-0"


def test_the_broker_configures_the_session_of_the_new_group_protocol() -> None:
    properties = source_properties({**SERVERS, "group.protocol": "consumer"}, "group")
    assert not {"partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms"} & set(
        properties
    )
    assert not is_eager(properties)


def test_a_group_is_eager_by_its_assignment_strategy() -> None:
    assert not is_eager(source_properties(SERVERS, "group"))
    assert is_eager(source_properties({**SERVERS, "partition.assignment.strategy": "range"}, "group"))


def test_a_member_hears_of_a_rebalance_long_before_a_killed_one_loses_its_partitions() -> None:
    properties = source_properties(SERVERS, "group")
    assert properties["heartbeat.interval.ms"] <= 500 < properties["session.timeout.ms"] // 3
