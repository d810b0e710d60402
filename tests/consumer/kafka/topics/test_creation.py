"""Creating the topics that the consumer writes to."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError

from consumer.kafka.topics.creation import STATE_CONFIG, TopicCreation
from consumer.kafka.topics.limits import MAX_BYTES
from consumer.kafka.topics.names import TopicNames
from tests.consumer.kafka.fake_admin import FakeAdmin

NAMES = TopicNames(("in", "wide"), "out", "dead", "outages", "state", ("more",))


def test_missing_topics_get_as_many_partitions_as_the_widest_input() -> None:
    admin, creation = FakeAdmin(), TopicCreation(NAMES)
    creation.create_missing(admin, {"in": 2, "wide": 6, "out": 3}, 2_000_000)
    assert admin.created == {
        "dead": (6, {MAX_BYTES: "2000000"}),
        "outages": (1, {}),
        "state": (6, STATE_CONFIG),
        "more": (6, {}),
    }
    assert not creation.all_exist  # the next look finds them


def test_nothing_is_created_while_no_input_topic_exists() -> None:
    admin, creation = FakeAdmin(), TopicCreation(NAMES)
    creation.create_missing(admin, {}, 2_000_000)
    assert admin.created == {}
    assert not creation.all_exist


def test_all_exist_without_the_topic_of_outages() -> None:
    creation = TopicCreation(NAMES)
    creation.create_missing(FakeAdmin(), dict.fromkeys(("in", "out", "dead", "state", "more"), 1), 2_000_000)
    assert creation.all_exist


def test_a_topic_that_cannot_be_created_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    admin, creation = FakeAdmin(), TopicCreation(TopicNames(("in",), "out", "dead"))
    admin.rejected = {
        "out": KafkaError.TOPIC_AUTHORIZATION_FAILED,
        "dead": KafkaError.TOPIC_ALREADY_EXISTS,  # another consumer created it meanwhile
    }
    for _ in range(2):
        creation.create_missing(admin, {"in": 1}, 2_000_000)
    (line,) = caplog.messages
    assert line.startswith("the topic out is missing and cannot be created: ")
