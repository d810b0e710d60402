"""The sizes that topics allow, and warnings about those that allow too little."""

from __future__ import annotations

import pytest

from consumer.kafka.publishers.properties import BROKER_RECORD_BYTES, MAX_RECORD_BYTES
from consumer.kafka.topics.limits import MAX_BYTES, largest_input, read_limits, warn_of_small_outputs
from interceptor.dead_letter import MAX_ADDED_BYTES
from tests.consumer.kafka.fake_admin import FakeAdmin


def test_the_limit_of_each_topic_is_read_as_a_number() -> None:
    admin = FakeAdmin()
    admin.configs = {"in": {MAX_BYTES: "2000000"}, "out": {MAX_BYTES: "1000"}}
    assert read_limits(admin, ["in", "out"]) == {"in": 2_000_000, "out": 1000}


def test_no_limit_is_known_if_the_broker_does_not_report_one() -> None:
    admin = FakeAdmin()
    admin.configs = {"in": {}, "out": {MAX_BYTES: "1000"}}
    assert read_limits(admin, ["in", "out"]) == {}


def test_an_input_without_a_known_limit_counts_with_kafkas_default() -> None:
    assert largest_input({"small": 1000}, ["small"]) == 1000
    assert largest_input({"small": 1000}, ["small", "unknown"]) == BROKER_RECORD_BYTES


def test_an_input_without_a_real_limit_leaves_room_for_what_is_added_to_a_dead_letter() -> None:
    """Kafka accepts any limit of 32 bits, and its clients accept less."""
    largest = largest_input({"in": 2**31 - 1}, ["in"])
    assert largest + MAX_ADDED_BYTES == MAX_RECORD_BYTES


def test_a_dead_letter_topic_needs_more_room_than_the_inputs(caplog: pytest.LogCaptureFixture) -> None:
    warn_of_small_outputs({"out": 5000, "dead": 5000}, 5000, "out", "dead")
    (line,) = caplog.messages
    assert line.startswith("the topic dead allows records of 5000 bytes")
    assert line.endswith(f"--entity-name dead --add-config max.message.bytes={5000 + MAX_ADDED_BYTES}")


def test_an_output_topic_needs_as_much_room_as_the_inputs(caplog: pytest.LogCaptureFixture) -> None:
    warn_of_small_outputs({"out": 4999, "dead": 10**9}, 5000, "out", "dead")
    (line,) = caplog.messages
    assert line.startswith("the topic out allows records of 4999 bytes")
    caplog.clear()
    warn_of_small_outputs({"out": 5000, "dead": 10**9}, 5000, "out", "dead")
    warn_of_small_outputs({}, 5000, "out", "dead")
    assert caplog.messages == []
