"""The addresses at which tests reach the ports of containers: one host for all containers."""

from __future__ import annotations

import ipaddress

from testcontainers.core.container import DockerContainer

LOOPBACK = "127.0.0.1"


def host(container: DockerContainer) -> str:
    """The host of the Docker engine. It is known before the container runs, since Kafka must advertise its address.

    Do not use `get_container_host_ip()`: inside a container it returns the gateway and ignores
    TESTCONTAINERS_HOST_OVERRIDE. A port that is bound to the loopback address is not reachable there.
    """
    name = container.get_docker_client().host()
    return LOOPBACK if name == "localhost" else name  # as an address: the name may mean ::1 as well


def binding(host: str, port: int) -> tuple[str, int] | int:
    """The binding that publishes `port` at `host`; only on the loopback address if `host` is one."""
    return (host, port) if _is_loopback(host) else port


def address(container: DockerContainer, port: int) -> str:
    """The `host:port` at which tests reach the running container's `port`."""
    published = container.get_docker_client().port(container.get_wrapped_container().id, port)
    return f"{host(container)}:{published}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
