"""As a new user: a topic with Telegraf's readings, `init`, `check`, `consume`, and forecasts appear."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from kafka_container import KafkaContainer, free_port

from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.timeout(400)]

ROOT = Path(__file__).parents[3]
MAKE_MODELS = ROOT / "tests" / "model_service" / "make_models.py"
STEPS, STEP_S = 60, 10
HOSTS = ("web-1", "web-2")
START_S = 60


@pytest.fixture(scope="module")
def model_folder(once_per_run: Callable[[str, Callable[[Path], None]], Path], tmp_path_factory: Any) -> Path:
    """A models folder with one model of a short window."""

    def make(folder: Path) -> None:
        subprocess.run([sys.executable, str(MAKE_MODELS), str(folder)], check=True, capture_output=True)

    models: Path = tmp_path_factory.mktemp("models")
    shutil.copytree(once_per_run("made-models", make) / "ours", models / "forecast" / "1")
    return models


def send_readings(address: str, topic: str) -> None:
    """Send the last ten minutes as Telegraf does: one metric a record, keyed by the host."""
    producer = Producer({"bootstrap.servers": address})
    begin_s = int(time.time()) // STEP_S * STEP_S - STEPS * STEP_S
    for step in range(STEPS):
        for host in HOSTS:
            metric = {
                "name": "cpu",
                "tags": {"host": host},
                "fields": {"usage_idle": 90 - step % 12, "version": "6.1"},
                "timestamp": begin_s + step * STEP_S,
            }
            producer.produce(topic, json.dumps(metric).encode(), host.encode())
    assert producer.flush(30) == 0


class User:
    """Runs commands in a folder, as in a shell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {name: value for name, value in os.environ.items() if not name.startswith("FNCAST_")}

    def _words(self, words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "fncast", *words]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._words(words),
            cwd=self.folder,
            env=self.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    @contextmanager
    def running(self, *words: str, ready: str, **environ: str) -> Iterator[Path]:
        """Run a command in the background, once its output contains `ready`. Yields the file with its output."""
        log = self.folder / f"{words[0]}.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                self._words(words),
                cwd=self.folder,
                env=self.environ | {"PYTHONPATH": str(ROOT)} | environ,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            eventually(lambda: ready in log.read_text(), START_S, log.read_text)
            yield log
        finally:
            process.terminate()
            try:
                process.wait(30)
            finally:
                process.kill()


def settings_of_this_test(printed: str, topic: str, functions_port: int) -> str:
    """What `init` has printed, with topics, ports and a window of this test."""
    names = "\n".join(
        f'{name}_topic = "{topic}-{name}"' for name in ("output", "dead_letter", "outage", "state")
    )
    text = printed.replace("[kafka]\n", f'[kafka]\ngroup_id = "{topic}"\n{names}\n')
    text = text.replace('step = "auto"', 'window = 6\nstep = "auto"')
    return text + f'[fn]\nurl = "http://127.0.0.1:{functions_port}"\n[admin]\nport = {free_port()}\n'


def test_an_existing_topic_is_forecast_without_code(
    kafka: KafkaContainer, model_folder: Path, tmp_path: Path
) -> None:
    address, user = kafka.bootstrap_servers, User(tmp_path)
    topic = f"telegraf-{os.getpid()}-{time.time_ns()}"
    admin = AdminClient({"bootstrap.servers": address})
    admin.create_topics([NewTopic(topic, 3)])[topic].result(30)
    send_readings(address, topic)

    shown = user.run("init", "--bootstrap-servers", address, "--topic", topic)
    assert shown.returncode == 0, shown.stderr
    assert (
        f"{topic}: telegraf-json; 120 readings in the last 120 of 120 records, 3 partitions" in shown.stderr
    )
    assert "cpu.usage_idle host=web-1  79" in shown.stderr
    model_port, functions_port = free_port(), free_port()
    (tmp_path / "fncast.toml").write_text(settings_of_this_test(shown.stdout, topic, functions_port))

    down = user.run("check", "--json")
    assert down.returncode == 1
    rows = {row["hop"]: row for row in map(json.loads, down.stdout.splitlines())}
    assert {hop for hop, row in rows.items() if row["result"] == "failed"} == {"route forecast"}
    assert "start `fncast functions functions/forecast`" in rows["route forecast"]["fix"]

    with ExitStack() as stack:
        models = ("model-service", "--models", str(model_folder), "--port", str(model_port))
        stack.enter_context(user.running(*models, ready="GraphPipe on"))
        functions = ("functions", str(ROOT / "functions" / "forecast"), "--port", str(functions_port))
        url = f"http://127.0.0.1:{model_port}"
        stack.enter_context(user.running(*functions, ready="functions fncast/forecast", GP_SERVER_URL=url))
        well = user.run("check")
        assert well.returncode == 0, well.stdout
        assert "version 1 forecast 2 steps" in well.stdout
        assert set(admin.list_topics(timeout=10).topics) & {f"{topic}-output", f"{topic}-state"} == set()

        stack.enter_context(user.running("consume", ready="consuming"))
        watched = user.run("watch", "--from-beginning", "--json", "--max", "100")
        events = [json.loads(line) for line in watched.stdout.splitlines()]
        assert {event["subject"] for event in events} == {f"cpu.usage_idle host={host}" for host in HOSTS}
        assert {event["type"] for event in events} == {"io.fncast.forecast.v1"}
        assert all(len(event["data"]["values"]) == 2 for event in events)
        assert user.run("check").returncode == 0
