"""A container without Docker."""


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
