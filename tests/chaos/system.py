"""The processes of fncast in a run: model services, function hosts, consumers."""

from __future__ import annotations

import argparse
import subprocess
import sys
import uuid
from pathlib import Path

from confluent_kafka.admin import AdminClient, NewTopic
from kafka_cluster import KafkaCluster
from kafka_container import PARTITIONS, KafkaContainer, free_port
from readings import CONFIG
from supervised_process import SupervisedProcess

HERE = Path(__file__).parent
MODEL_TESTS = HERE.parent / "model_service"
# Its forecast is the mean of the window + the step + the number of the quantile.
MAKE_MODEL = "import sys, pathlib, make_models; make_models.write_ours(pathlib.Path(sys.argv[1]), 6, 2, 0.0)"


def make_model(models: Path) -> None:
    """Write a small model with a known formula. It takes a few seconds, most of them TensorFlow's import."""
    version = models / "forecast" / "1"
    version.parent.mkdir(parents=True)
    subprocess.run(
        [sys.executable, "-c", MAKE_MODEL, str(version)],
        cwd=MODEL_TESTS,
        check=True,
        capture_output=True,
        timeout=100,
    )


class System:
    """Builds the processes and does not start them. joining: the additional consumer, which only a storm starts."""

    def __init__(
        self, options: argparse.Namespace, kafka: KafkaContainer | KafkaCluster, models: Path, folder: Path
    ) -> None:
        self._kafka, self._folder = kafka, folder
        self.tag = uuid.uuid4().hex[:8]
        self.metrics, self.forecasts, self.dead_letters, self.state = (
            f"{name}-{self.tag}" for name in ("metrics", "forecasts", "dead-letters", "state")
        )
        self.model_services, model_urls = self._listeners(
            options.model_services, "model-service", "--models", str(models), "--name", "forecast"
        )
        function = (str(HERE / "function"), "--config", f"GP_SERVER_URL={','.join(model_urls)}")
        self.hosts, self._fn_urls = self._listeners(options.hosts, "functions", *function)
        self.consumers = [self._consumer(number, options) for number in range(options.consumers)]
        self.joining = self._consumer(options.consumers, options)
        if options.crash or options.freeze:
            fault = ["--crash", options.crash] if options.crash else ["--freeze", options.freeze]
            self.consumers[0].arguments[1:1] = fault
            self.consumers[0].stays_away = options.gone

    @property
    def all(self) -> list[SupervisedProcess]:
        """The processes that are kept running."""
        return [*self.model_services, *self.hosts, *self.consumers]

    @property
    def are_frozen(self) -> bool:
        return any(consumer.frozen_at_s for consumer in self.consumers)

    def work(self) -> dict[str, int]:
        """Return the work since the last start: events of each consumer, calls of each model service's model."""
        settled = {each.name: each.counted("fncast_events_total") for each in self.consumers}
        return settled | {
            each.name: each.counted("fncast_model_seconds_count") for each in self.model_services
        }

    def create_topics(self) -> None:
        admin = AdminClient({"bootstrap.servers": self._kafka.bootstrap_servers, "log_level": 2})
        topics = (self.metrics, self.forecasts, self.dead_letters)
        for done in admin.create_topics([NewTopic(topic, PARTITIONS) for topic in topics]).values():
            done.result(20)

    def _listeners(self, count: int, command: str, *flags: str) -> tuple[list[SupervisedProcess], list[str]]:
        """Build `count` processes of a command that listens. Returns them and their addresses."""
        processes, urls = [], []
        for number in range(count):
            name, port = f"{command}-{number}", free_port()
            arguments = ["-m", "fncast", command, *flags, "--port", str(port)]
            processes.append(SupervisedProcess(name, arguments, self._folder / f"{name}.log", port))
            urls.append(f"http://127.0.0.1:{port}")
        return processes, urls

    def _consumer(self, number: int, options: argparse.Namespace) -> SupervisedProcess:
        """Build a consumer that calls the function host of its number, in place of a load balancer."""
        name, port = f"consumer-{number}", free_port()
        settings = {
            "KAFKA__BOOTSTRAP_SERVERS": self._kafka.client_servers,
            "KAFKA__GROUP_ID": f"chaos-{self.tag}",
            "KAFKA__INSTANCE": name,
            "KAFKA__INPUT_TOPICS": self.metrics,
            "KAFKA__OUTPUT_TOPIC": self.forecasts,
            "KAFKA__DEAD_LETTER_TOPIC": self.dead_letters,
            "KAFKA__CLIENT__GROUP_PROTOCOL": options.protocol,
            "FN__URL": self._fn_urls[number % len(self._fn_urls)],
            "FN__BATCH_EVENTS": "16",
        }
        flags = ["--port", str(port)]
        if options.readings:  # the config names the topic
            config = self._folder / "fncast.toml"
            config.write_text(CONFIG.format(topic=self.metrics))
            flags += ["--config", str(config)]
            settings["KAFKA__STATE_TOPIC"] = self.state
        bug = ["--bug", options.bug] if options.bug else []
        arguments = [str(HERE / "faulty_consumer.py"), *bug, "consume", *flags]
        variables = {f"FNCAST_{key}": value for key, value in settings.items()}
        return SupervisedProcess(name, arguments, self._folder / f"{name}.log", port, variables)
