"""Where a container's ports are reached from where the tests run: for all containers one host, from one source."""

from __future__ import annotations

import ipaddress

from testcontainers.core.container import DockerContainer

LOOPBACK = "127.0.0.1"


def host(container: DockerContainer) -> str:
    """The Docker engine's host, known before the container runs, as Kafka has to tell its clients where it is.

    Not `get_container_host_ip()`: inside a container that is a gateway, whatever TESTCONTAINERS_HOST_OVERRIDE says,
    and a port that is bound to the loopback address alone is not there.
    """
    name = container.get_docker_client().host()
    return LOOPBACK if name == "localhost" else name  # as an address: the name may mean ::1 as well


def binding(host: str, port: int) -> tuple[str, int] | int:
    """How to publish the fixed `port` so that it is reached at `host`: to nobody else where that can be."""
    return (host, port) if _is_loopback(host) else port


def address(container: DockerContainer, port: int) -> str:
    """`host:port` at which the running container's own `port` is reached."""
    published = container.get_docker_client().port(container.get_wrapped_container().id, port)
    return f"{host(container)}:{published}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
