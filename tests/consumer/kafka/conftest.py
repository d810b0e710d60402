"""Shared by the tests of the Kafka adapters: an embedded broker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from consumer.kafka.embedded import EmbeddedBroker


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker()
    yield broker
    broker.close()
