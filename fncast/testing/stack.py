"""Runs Kafka, model service, function host and consumer, each in a container, on a separate network."""

from __future__ import annotations

import contextlib
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from types import TracebackType

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]
from docker.errors import APIError
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from fncast.testing.address import address
from fncast.testing.kafka import INSIDE, kafka_container

TOPICS = ("metrics", "forecasts", "dead-letters")
MODEL_PORT, FUNCTIONS_PORT, ADMIN_PORT = 9000, 8080, 9464
READY_S = 90.0  # for one container
PROBE_S = 2.0
POLL_S = 0.1
LOG_CHARACTERS = 2000
# The broker's default limit for a record and 64 KiB more, so that a dead letter has room for the reason.
DEAD_LETTER_BYTES = 1_114_124


class StackError(Exception):
    """A container did not start. The text names the container and its address, and holds the end of its log."""


class Fncast:
    """fncast in containers. A context manager, which stops all containers at the end of its block.

    models: a folder that `fncast train` wrote. functions: folders of further Fn functions; they run in the image of the
    function host, with the packages installed there. variables: settings of the consumer, such as
    `{"FNCAST_ROUTES__MEAN": "fn:fncast/mean"}`. partitions: of each of the three topics. version: the tag of the
    images, which `docker compose build` creates in fncast's repository; None for the installed version.
    """

    def __init__(
        self,
        models: str | os.PathLike[str],
        *,
        functions: Sequence[str | os.PathLike[str]] = (),
        variables: Mapping[str, str] | None = None,
        partitions: int = 1,
        version: str | None = None,
    ) -> None:
        self._models = Path(models).resolve()
        self._functions = [Path(folder).resolve() for folder in functions]
        self._variables = dict(variables or {})
        self._partitions = partitions
        self._version = version
        self._stack = contextlib.ExitStack()
        self.bootstrap_servers = ""
        """The address of Kafka for programs on this machine."""
        self.model_url = ""
        """The URL of the model service, for GraphPipe."""
        self.fn_url = ""
        """The URL of the function host, with Fn's API: `/t/fncast/forecast` calls the forecast function."""
        self.admin_url = ""
        """The URL of the consumer's /metrics, /healthz and /readyz."""

    def __enter__(self) -> Fncast:
        """Start all containers and wait until the consumer has its partitions. Raises StackError."""
        if not self._models.is_dir():
            raise StackError(
                f"the folder {self._models} does not exist; `fncast train --models DIR` creates a folder of models"
            )
        with contextlib.ExitStack() as stack:
            network = stack.enter_context(Network())
            kafka, port = kafka_container(network)
            _start(stack, kafka)
            self.bootstrap_servers = address(kafka, port)
            self._create_topics(kafka)
            self._start_fncast(stack, network)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _start_fncast(self, stack: contextlib.ExitStack, network: Network) -> None:
        # The container runs as the user who runs the tests, who can read the models.
        model_service = self._container("model-service", network, MODEL_PORT, f"{os.getuid()}:{os.getgid()}")
        model_service.with_volume_mapping(str(self._models), "/models", "ro")
        model_service.with_command("model-service --models /models --host 0.0.0.0")
        functions = self._container("functions", network, FUNCTIONS_PORT)
        functions.with_env("GP_SERVER_URL", f"http://model-service:{MODEL_PORT}")
        folders = ["/functions/forecast"]
        for folder in self._functions:
            folders.append(f"/functions/{folder.name}")
            functions.with_volume_mapping(str(folder), folders[-1], "ro")
        functions.with_command(f"functions {' '.join(folders)} --host 0.0.0.0")
        consumer = self._container("consumer", network, ADMIN_PORT).with_command("consume --host 0.0.0.0")
        consumer.with_env("FNCAST_KAFKA__BOOTSTRAP_SERVERS", INSIDE)
        consumer.with_env("FNCAST_FN__URL", f"http://functions:{FUNCTIONS_PORT}")
        for name, value in self._variables.items():
            consumer.with_env(name, value)
        for container in (model_service, functions, consumer):
            _start(stack, container)
        self.model_url = ready_url(model_service, MODEL_PORT, "/readyz")
        self.fn_url = ready_url(functions, FUNCTIONS_PORT, "/healthz")
        self.admin_url = ready_url(consumer, ADMIN_PORT, "/readyz")

    def _container(self, name: str, network: Network, port: int, user: str = "1000:1000") -> DockerContainer:
        image = f"fncast/{name}:{self._version or version('fncast')}"
        container = DockerContainer(image).with_network(network).with_network_aliases(name)
        container.with_exposed_ports(port).with_tmpfs_mount("/tmp")
        return container.with_kwargs(
            user=user,
            read_only=True,
            cap_drop=["ALL"],
            security_opt=["no-new-privileges:true"],
        )

    def _create_topics(self, kafka: DockerContainer) -> None:
        """Create the topics. Raises StackError if Kafka does not answer in time."""

        def are_created() -> bool:
            # Create a new client each time: after a closed port, a client waits before it connects again.
            admin = AdminClient({"bootstrap.servers": self.bootstrap_servers, "log_level": 0})
            try:
                missing = set(TOPICS) - admin.list_topics(timeout=PROBE_S).topics.keys()
                for done in admin.create_topics([self._topic(name) for name in missing]).values():
                    done.result(READY_S)
            except KafkaException:
                return False
            return True

        _wait_for(are_created, kafka, self.bootstrap_servers)

    def _topic(self, name: str) -> NewTopic:
        config = {"max.message.bytes": str(DEAD_LETTER_BYTES)} if name == "dead-letters" else {}
        return NewTopic(name, self._partitions, 1, config=config)


def _start(stack: contextlib.ExitStack, container: DockerContainer) -> None:
    """Start the container, and stop it at the end of `stack`. Raises StackError."""
    stack.callback(container.stop)
    try:
        container.start()
    except APIError as error:
        raise StackError(
            f"{container.image} does not start: {error.explanation or error}"
            " (`docker compose build` in fncast's repository creates fncast's images)"
        ) from error


def ready_url(container: DockerContainer, port: int, path: str) -> str:
    """Wait until the container answers 200 at `path`. Returns its URL. Raises StackError."""
    url = f"http://{address(container, port)}"

    def answers() -> bool:
        try:
            with urllib.request.urlopen(url + path, timeout=PROBE_S) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    _wait_for(answers, container, url + path)
    return url


def _wait_for(condition: Callable[[], bool], container: DockerContainer, tried: str) -> None:
    """Wait until `condition` is true. tried: the address for the error. Raises StackError."""
    end_s = time.monotonic() + READY_S
    while not condition():
        wrapped = container.get_wrapped_container()
        wrapped.reload()
        if wrapped.status == "exited" or time.monotonic() > end_s:
            log = b"".join(container.get_logs()).decode("utf-8", "replace")[-LOG_CHARACTERS:]
            raise StackError(
                f"{container.image} is not ready at {tried} within {READY_S:g} s ({wrapped.status}):\n{log}"
            )
        time.sleep(POLL_S)
