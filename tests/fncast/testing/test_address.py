"""The addresses of containers, tested without containers."""

import pytest

from fncast.testing import stack
from fncast.testing.address import address, binding, host
from fncast.testing.kafka import kafka_container


class Container:
    """A Docker engine on this machine, with pytest in a container: the gateway address does not work."""

    image = "some/image"
    status = "running"
    id = "1"

    def __init__(self, engine_host: str) -> None:
        self._host = engine_host

    def get_docker_client(self):
        return self

    def host(self):
        return self._host

    def port(self, container_id, port):
        return str(port + 1)

    def get_container_host_ip(self):
        return "172.17.0.1"

    def get_wrapped_container(self):
        return self

    def reload(self):
        pass

    def get_logs(self):
        return b"all is well", b""


@pytest.mark.parametrize(
    ("engine_host", "reached", "bound"),
    [
        ("localhost", "127.0.0.1", ("127.0.0.1", 7)),
        ("127.0.0.1", "127.0.0.1", ("127.0.0.1", 7)),
        ("172.17.0.1", "172.17.0.1", 7),
        ("host.docker.internal", "host.docker.internal", 7),
    ],
)
def test_a_port_is_bound_to_the_address_of_its_host(engine_host, reached, bound):
    assert host(Container(engine_host)) == reached
    assert binding(reached, 7) == bound
    assert address(Container(engine_host), 9) == f"{reached}:10"


def test_kafka_advertises_the_address_that_it_is_bound_to(monkeypatch):
    monkeypatch.setattr("testcontainers.core.container.DockerClient", lambda **_: Container("localhost"))
    container, port = kafka_container(None)
    assert container.ports[str(port)] == ("127.0.0.1", port)
    assert container.env["KAFKA_ADVERTISED_LISTENERS"].endswith(f"OUTSIDE://127.0.0.1:{port}")


def test_the_error_of_an_unreachable_container_names_the_address(monkeypatch):
    monkeypatch.setattr(stack, "READY_S", 0.0)
    monkeypatch.setattr(stack, "PROBE_S", 0.1)
    with pytest.raises(
        stack.StackError, match=r"not ready at http://127.0.0.1:2/readyz within 0 s \(running\)"
    ):
        stack.ready_url(Container("localhost"), 1, "/readyz")
