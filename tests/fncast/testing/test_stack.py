"""The containers for users' tests, used as in docs/testing.md."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer

# Ryuk would be one more image to pull; `with` ends all containers.
os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")

from testcontainers.core.network import Network

from fncast.testing import Fncast, StackError
from fncast.testing.kafka import kafka_container

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[3]
SAMPLE = json.loads((ROOT / "ce.json").read_text("utf-8"))
IMAGES = ("model-service", "functions", "consumer")
MEAN = (ROOT / "docs" / "functions.md").read_text("utf-8")


@pytest.fixture(scope="module")
def images(docker_engine: None) -> None:
    """Build the project's images from its Dockerfile."""
    command = ["docker", "compose", "build", *IMAGES]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500)
    assert built.returncode == 0, built.stderr[-3000:]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    readings = folder / "readings.csv"
    lines = [f"{1_700_000_000 + 3600 * hour},{(hour % 24) * (hour % 5)}" for hour in range(1000)]
    readings.write_text("timestamp,value\n" + "\n".join(lines) + "\n")
    words = (
        "--models",
        str(folder),
        "--epochs",
        "1",
        "--units",
        "8",
        "--window",
        "48",
        "--keep-trained",
        "--no-refit",
    )
    command = [sys.executable, "-m", "fncast", "train", str(readings), *words]
    subprocess.run(command, check=True, capture_output=True, timeout=120, cwd=ROOT)
    return folder


@pytest.fixture(scope="module")
def mean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The function of docs/functions.md."""
    folder = tmp_path_factory.mktemp("functions") / "mean"
    folder.mkdir()
    python, _, rest = MEAN.split("```python\n", 1)[1].partition("```")
    (folder / "func.py").write_text(python)
    (folder / "func.yaml").write_text(rest.split("```yaml\n", 1)[1].partition("```")[0])
    return folder


@pytest.fixture(scope="module")
def fncast(images: None, models: Path, mean: Path) -> Iterator[Fncast]:
    with Fncast(models, functions=[mean], variables={"FNCAST_ROUTES__MEAN": "fn:fncast/mean"}) as running:
        yield running


def send(fncast: Fncast, **changes: str) -> None:
    producer = Producer({"bootstrap.servers": fncast.bootstrap_servers})
    headers = [("content-type", b"application/cloudevents+json")]
    producer.produce("metrics", json.dumps({**SAMPLE, **changes}), headers=headers)
    assert producer.flush(20) == 0


def receive(fncast: Fncast, topic: str, causation_id: str) -> tuple[dict[str, str], Any]:
    """Headers and data of the first record with this cause."""
    consumer = Consumer(
        {
            "bootstrap.servers": fncast.bootstrap_servers,
            "group.id": causation_id,
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        }
    )
    consumer.subscribe([topic])
    try:
        while (record := consumer.poll(60)) is not None:
            assert record.error() is None, record.error()
            headers = {name: (value or b"").decode() for name, value in record.headers() or []}
            document = json.loads(record.value() or b"")
            if headers.get("ce_causationid", document.get("id")) == causation_id:
                return headers, document
    finally:
        consumer.close()
    raise AssertionError(f"nothing of {causation_id} on {topic}")


def test_an_event_gives_a_forecast(fncast: Fncast) -> None:
    send(fncast, id="one")
    headers, data = receive(fncast, "forecasts", "one")
    assert headers["ce_type"] == "io.fncast.forecast.v1"
    assert len(data["values"]) == 12


def test_a_function_of_the_user_runs_too(fncast: Fncast) -> None:
    values = [1.0, 2.0, 6.0]
    send(fncast, id="two", destination="mean", data={"values": values})  # type: ignore[arg-type]
    _, data = receive(fncast, "forecasts", "two")
    assert data == {"mean": 3.0}


def test_a_rejected_event_is_a_dead_letter_with_the_reason(fncast: Fncast) -> None:
    send(fncast, id="three", destination="nowhere")
    headers, _ = receive(fncast, "dead-letters", "three")
    assert "nowhere" in headers["fncast-reason"]


def test_the_parts_are_reachable_from_outside(fncast: Fncast) -> None:
    for url in (f"{fncast.model_url}/readyz", f"{fncast.fn_url}/healthz", f"{fncast.admin_url}/metrics"):
        with urllib.request.urlopen(url, timeout=5) as answer:
            assert answer.status == 200


def test_kafka_listens_only_on_the_loopback_address(docker_engine: None) -> None:
    with Network() as network:
        container, port = kafka_container(network)
        with container:
            bound = container.get_wrapped_container().attrs["HostConfig"]["PortBindings"]
            assert bound[f"{port}/tcp"] == [{"HostIp": "127.0.0.1", "HostPort": str(port)}]


def test_a_missing_folder_or_image_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="absent does not exist; "), Fncast(tmp_path / "absent"):
        pass
