"""`fncast model-service` as a process: its start, its answers and its end."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from tritonclient import grpc, http

from model_service.client import GraphPipeClient, InvalidShape, ModelError, ModelUnavailable
from tests.model_service.serving.failing_start import failing

pytestmark = pytest.mark.integration

WINDOWS = np.arange(12, dtype=np.float32).reshape(2, 6)
FORECAST = WINDOWS.mean(1)[:, None, None] + np.arange(2)[:, None] + np.arange(3)[None, :]
Start = Callable[..., Any]  # of conftest.py


@pytest.mark.parametrize("runtime", ["litert", "tensorflow"])
def test_it_starts_answers_rejects_and_stops(start: Start, place: Any, models: Path, runtime: str) -> None:
    place("ours", 1)
    service = start("--models", models, "--runtime", runtime)
    client = GraphPipeClient(service.url)
    answer = client.infer(WINDOWS)
    np.testing.assert_allclose(answer.outputs, FORECAST, rtol=1e-6)
    assert (answer.model_name, answer.model_version) == ("forecast", "1")
    assert client.metadata().inputs[0].shape == (-1, 6)
    with pytest.raises(InvalidShape):
        client.infer(WINDOWS[:, :3])
    assert service.stop(signal.SIGINT) == 0
    assert not any("Traceback" in line for line in service.lines)
    with pytest.raises(ModelUnavailable):
        client.infer(WINDOWS)


def test_all_protocols_share_one_batcher_and_its_metrics(start: Start, place: Any, models: Path) -> None:
    place("ours", 1)
    service = start("--models", models, "--grpc-port", 0)
    address = re.search(r"grpc://([^ ]+)", service.wait_for("GraphPipe on"))
    assert address
    rest, rpc = (
        http.InferenceServerClient(service.url.removeprefix("http://")),
        grpc.InferenceServerClient(address[1]),
    )
    for client, room in ((rest, http), (rpc, grpc)):
        tensor = room.InferInput("windows", [2, 6], "FP32")
        tensor.set_data_from_numpy(WINDOWS)
        result = client.infer("forecast", [tensor])
        np.testing.assert_allclose(result.as_numpy("forecast"), FORECAST, rtol=1e-6)
        client.close()
    GraphPipeClient(service.url).infer(WINDOWS)
    page = requests.get(f"{service.url}/metrics", timeout=10).text
    assert "fncast_model_batch_windows_count 3.0" in page
    assert service.stop() == 0
    assert not any("Traceback" in line for line in service.lines)


def test_a_request_that_is_too_large_gets_the_reason(start: Start, place: Any, models: Path) -> None:
    place("ours", 1)
    service = start("--models", models)
    client = GraphPipeClient(service.url)
    with pytest.raises(ModelError, match="answered 413: the body has more than"):
        client.infer(np.zeros((3_000_000, 6), np.float32))
    large = np.zeros((100_000, 6), np.float32)
    assert client.infer(large).outputs.shape == (100_000, 2, 3)


def test_a_frozen_graph_with_a_foreign_client(start: Start, made_models: Path) -> None:
    service = start("--model", made_models / "frozen.pb", "--inputs", "x", "--outputs", "y")
    answer = GraphPipeClient(service.url + "/frozen").infer(np.array([[1, 2]], np.float32))
    assert answer.outputs.tolist() == [[3, 5]]
    assert answer.model_name == "frozen"


def test_it_waits_for_a_first_model_with_the_option(start: Start, place: Any, models: Path) -> None:
    service = start("--models", models, "--wait")
    client = GraphPipeClient(service.url)
    with pytest.raises(ModelUnavailable, match="no model is in service yet"):
        client.infer(WINDOWS)
    assert requests.get(f"{service.url}/readyz", timeout=10).status_code == 503
    place("ours", 1)
    service.wait_for("forecast/1 is in service")
    client.infer(WINDOWS)
    assert requests.get(f"{service.url}/readyz", timeout=10).status_code == 200


def test_a_start_that_fails_names_the_reason(place: Any, models: Path, tmp_path: Path) -> None:
    assert "no such folder" in failing("--models", tmp_path / "away")
    assert "fncast train --models" in failing("--models", models)
    (place("ours", 3) / "retired").touch()
    assert "all versions are retired" in failing("--models", models)
    place("broken", 1)
    assert "not finite" in failing("--models", models)
    place("ours", 2)
    assert "forecast/7 is pinned but not in" in failing("--models", models, "--pin", "forecast=7")
    assert "no model 'price'" in failing("--models", models, "--name", "price")
    assert "no such model" in failing("--model", tmp_path / "away.pb")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert "is in use" in failing("--models", models, "--port", taken.getsockname()[1])
