"""The addresses of containers, tested without containers."""

import pytest

from fncast.testing import stack
from fncast.testing.address import address, binding, host
from tests.fncast.testing.fake_container import Container


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


def test_the_error_of_an_unreachable_container_names_the_address(monkeypatch):
    monkeypatch.setattr(stack, "READY_S", 0.0)
    monkeypatch.setattr(stack, "PROBE_S", 0.1)
    with pytest.raises(
        stack.StackError, match=r"not ready at http://127.0.0.1:2/readyz within 0 s \(running\)"
    ):
        stack.ready_url(Container("localhost"), 1, "/readyz")
