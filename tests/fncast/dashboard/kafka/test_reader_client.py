"""The Kafka client of a reader: its properties and its log."""

from __future__ import annotations

import logging

import pytest

from fncast.dashboard.kafka.reader import TopicReader
from fncast.dashboard.kafka.reader_client import DebugLog, InvalidProperties, reader_properties


def test_a_wrong_property_is_named() -> None:
    with pytest.raises(InvalidProperties, match=r"no\.such\.property"):
        TopicReader({"bootstrap.servers": "127.0.0.1:1", "no.such.property": "1"}, ["t"], 0)


def test_a_reader_leaves_the_group_and_the_topics_of_the_user_alone() -> None:
    given = {"bootstrap.servers": "a:1", "group.id": "mine", "enable.auto.commit": "true"}
    found = reader_properties(given | {"allow.auto.create.topics": "true"}, lambda error: None)
    assert found["bootstrap.servers"] == "a:1"
    assert found["group.id"].startswith("fncast-reader-")
    assert (found["enable.auto.commit"], found["allow.auto.create.topics"]) == ("false", "false")


def test_two_readers_have_different_groups() -> None:
    groups = {reader_properties({}, lambda error: None)["group.id"] for _ in range(2)}
    assert len(groups) == 2


def test_the_log_of_the_client_is_only_for_debugging(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "fncast.dashboard.kafka.reader_client"):
        DebugLog().log(logging.ERROR, "%s is down", "broker 1")
    [line] = caplog.records
    assert (line.levelno, line.getMessage()) == (logging.DEBUG, "broker 1 is down")
