"""BaseProducer: limits of sizes as the client applies them."""

from __future__ import annotations

import pytest

from consumer.kafka.errors import create_client
from consumer.kafka.publishers import base_producer
from consumer.kafka.publishers.at_least_once import AtLeastOnce


@pytest.fixture
def created(monkeypatch):
    """The clients that are created, each with its properties."""
    created = []

    def create(kind, properties, **options):
        created.append((create_client(kind, properties, **options), properties))
        return created[-1][0]

    monkeypatch.setattr(base_producer, "create_client", create)
    return created


@pytest.mark.parametrize("headers", [[], [("a", b"b")], [(f"ce_{n}", b"x" * n) for n in range(300)]])
def test_the_client_accepts_a_record_that_fits(created, headers):
    publisher = AtLeastOnce({"bootstrap.servers": "127.0.0.1:1"}, "murmur2_random")
    client, properties = created[-1]
    most = properties["message.max.bytes"]
    taken = 0
    for size in range(most - 60_000, most, 50):
        if publisher.fits("forecasts", b"key", value := b"x" * size, headers):
            publisher.publish("forecasts", -1, b"key", value, headers)
            client.purge()
            client.poll(0)
            taken = size
    assert most - 60_000 < taken < most
    publisher.close()


@pytest.mark.parametrize(("setting", "most"), [("1000", 2_000_000), ("3000000", 3_000_000)])
def test_the_users_limit_leaves_room_for_a_dead_letter(created, setting, most):
    publisher = AtLeastOnce(
        {"bootstrap.servers": "127.0.0.1:1", "message.max.bytes": setting, "batch.size": "5000"},
        "murmur2_random",
    )
    publisher.set_limits(2_000_000, 1_000_000)
    _, properties = created[-1]
    assert properties["message.max.bytes"] == most
    assert properties["batch.size"] == "5000"
    publisher.close()
