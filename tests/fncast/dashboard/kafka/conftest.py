"""Fixtures: readers of a broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fncast.dashboard.kafka.reader import TopicReader


@pytest.fixture
def start(broker: Any) -> Iterator[Callable[..., TopicReader]]:
    """Starts readers of the broker, and closes them after the test."""
    readers: list[TopicReader] = []

    def begin(*topics: str, history: int | None = None, max_lag: int | None = None) -> TopicReader:
        reader = TopicReader({"bootstrap.servers": broker.address}, topics, history, max_lag)
        readers.append(reader)
        reader.start()
        return reader

    yield begin
    for reader in readers:
        reader.close()
