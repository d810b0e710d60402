"""Fixtures: records as producers and the consumer write them, and a broker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fncast.dashboard.record_factory import RecordFactory
from tests.fncast.mock_broker import MockBroker


@pytest.fixture
def make() -> RecordFactory:
    return RecordFactory()


@pytest.fixture
def broker() -> Iterator[MockBroker]:
    started = MockBroker()
    yield started
    started.close()
