"""The settings of the Kafka container, tested without a container."""

from fncast.testing.kafka import kafka_container
from tests.fncast.testing.fake_container import Container


def test_kafka_advertises_the_address_that_it_is_bound_to(monkeypatch):
    monkeypatch.setattr("testcontainers.core.container.DockerClient", lambda **_: Container("localhost"))
    container, port = kafka_container(None)
    assert container.ports[str(port)] == ("127.0.0.1", port)
    assert container.env["KAFKA_ADVERTISED_LISTENERS"].endswith(f"OUTSIDE://127.0.0.1:{port}")
