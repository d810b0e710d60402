"""The parts of fncast that a run strikes: model service, function host, consumers; each a process."""

from __future__ import annotations

import argparse
import subprocess
import sys
import uuid
from pathlib import Path

from confluent_kafka.admin import AdminClient, NewTopic
from kafka_cluster import KafkaCluster
from kafka_container import PARTITIONS, KafkaContainer, free_port
from supervised_process import Victim

HERE = Path(__file__).parent
MAKE_MODELS = HERE.parent / "model_service"
# forecast = mean of the window + step + quantile's number.
MAKE = "import sys, pathlib, make_models; make_models.write_ours(pathlib.Path(sys.argv[1]), 6, 2, 0.0)"


def make_model(models: Path) -> None:
    """A small model of a known formula; a few seconds, most of it TensorFlow's import."""
    version = models / "forecast" / "1"
    version.parent.mkdir(parents=True)
    subprocess.run(
        [sys.executable, "-c", MAKE, str(version)],
        cwd=MAKE_MODELS,
        check=True,
        capture_output=True,
        timeout=100,
    )


class Parts:
    """Not started yet. joining: a consumer that is started by a storm alone."""

    def __init__(
        self, told: argparse.Namespace, kafka: KafkaContainer | KafkaCluster, models: Path, folder: Path
    ) -> None:
        self._kafka, self._folder = kafka, folder
        self.tag = uuid.uuid4().hex[:8]
        self.metrics, self.forecasts, self.dead_letters = (
            f"{name}-{self.tag}" for name in ("metrics", "forecasts", "dead-letters")
        )
        self.model_services, model_urls = self._listeners(
            told.model_services, "model-service", "--models", str(models), "--name", "forecast"
        )
        function = (str(HERE / "function"), "--config", f"GP_SERVER_URL={','.join(model_urls)}")
        self.hosts, self._fn_urls = self._listeners(told.hosts, "functions", *function)
        self.consumers = [self._consumer(number, told) for number in range(told.consumers)]
        self.joining = self._consumer(told.consumers, told)
        if told.crash or told.freeze:
            words = ["--crash", told.crash] if told.crash else ["--freeze", told.freeze]
            self.consumers[0].words[1:1] = words
            self.consumers[0].stays_away = told.gone

    @property
    def all(self) -> list[Victim]:
        """What is kept running."""
        return [*self.model_services, *self.hosts, *self.consumers]

    @property
    def are_frozen(self) -> bool:
        return any(consumer.frozen_at_s for consumer in self.consumers)

    def work(self) -> dict[str, int]:
        """Events that each consumer has settled and calls of the model that each model service has made, since they
        were started last."""
        settled = {one.name: one.counted("fncast_events_total") for one in self.consumers}
        return settled | {one.name: one.counted("fncast_model_seconds_count") for one in self.model_services}

    def make_topics(self) -> None:
        admin = AdminClient({"bootstrap.servers": self._kafka.bootstrap_servers, "log_level": 2})
        topics = (self.metrics, self.forecasts, self.dead_letters)
        for done in admin.create_topics([NewTopic(topic, PARTITIONS) for topic in topics]).values():
            done.result(20)

    def _listeners(self, count: int, command: str, *words: str) -> tuple[list[Victim], list[str]]:
        """So many processes of a command that listens, and their addresses."""
        victims, urls = [], []
        for number in range(count):
            name, port = f"{command}-{number}", free_port()
            told = ["-m", "fncast", command, *words, "--port", str(port)]
            victims.append(Victim(name, told, self._folder / f"{name}.log", port))
            urls.append(f"http://127.0.0.1:{port}")
        return victims, urls

    def _consumer(self, number: int, told: argparse.Namespace) -> Victim:
        """It calls the host of its number: what a load balancer would share out among them is shared out so."""
        name, port = f"consumer-{number}", free_port()
        settings = {
            "KAFKA__BOOTSTRAP_SERVERS": self._kafka.client_servers,
            "KAFKA__GROUP_ID": f"chaos-{self.tag}",
            "KAFKA__INSTANCE": name,
            "KAFKA__INPUT_TOPICS": self.metrics,
            "KAFKA__OUTPUT_TOPIC": self.forecasts,
            "KAFKA__DEAD_LETTER_TOPIC": self.dead_letters,
            "KAFKA__CLIENT__GROUP_PROTOCOL": told.protocol,
            "FN__URL": self._fn_urls[number % len(self._fn_urls)],
            "FN__BATCH_EVENTS": "16",
        }
        bug = ["--bug", told.bug] if told.bug else []
        words = [str(HERE / "faulty_consumer.py"), *bug, "consume", "--port", str(port)]
        variables = {f"FNCAST_{key}": value for key, value in settings.items()}
        return Victim(name, words, self._folder / f"{name}.log", port, variables)
