"""The topics as they are found at the start; those of a real broker are in tests/integration."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from consumer.embedded import EmbeddedBroker
from consumer.topics import Sizes, Topics


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    started = EmbeddedBroker()
    yield started
    started.close()


def test_of_the_embedded_broker_nothing_is_asked_that_it_cannot_answer(
    broker: EmbeddedBroker, caplog: pytest.LogCaptureFixture
) -> None:
    """It has no controller: each question to one would cost the start a second, and end in a warning."""
    topics = Topics({"bootstrap.servers": broker.bootstrap_servers}, ["in"], "out", "dead", "outages")
    with caplog.at_level(logging.INFO):
        sizes = None
        while sizes is None:
            sizes = topics.prepare()
    assert sizes == Sizes()
    assert topics.are_there
    assert [line for line in caplog.messages if "controller" in line] == []
