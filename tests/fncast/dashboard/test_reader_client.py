"""The Kafka client of a reader: its properties and its log."""

from __future__ import annotations

import pytest

from fncast.dashboard.reader import TopicReader
from fncast.dashboard.reader_client import InvalidProperties


def test_a_wrong_property_is_named() -> None:
    with pytest.raises(InvalidProperties, match=r"no\.such\.property"):
        TopicReader({"bootstrap.servers": "127.0.0.1:1", "no.such.property": "1"}, ["t"], 0)
