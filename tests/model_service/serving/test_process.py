"""`fncast model-service` as a process: start, foreign clients, version changes under load, shutdown."""

from __future__ import annotations

import importlib.util
import re
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
import requests
from flatbuffers import encode, packer
from flatbuffers.table import Table
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


def foreign_request(values: np.ndarray) -> bytes:
    """An inference request built from the schema with the flatbuffers library only, in another field order."""
    builder = flatbuffers.Builder(0)
    name = builder.CreateString("windows")
    builder.StartVector(8, values.ndim, 8)
    for length in reversed(values.shape):
        builder.PrependInt64(length)
    shape = builder.EndVector()
    data = builder.CreateByteVector(values.astype("<f4").tobytes())
    builder.StartObject(4)
    builder.PrependUOffsetTRelativeSlot(2, data, 0)
    builder.PrependUOffsetTRelativeSlot(1, shape, 0)
    builder.PrependUint8Slot(0, 10, 0)
    tensor = builder.EndObject()
    vectors = []
    for item in (name, tensor):
        builder.StartVector(4, 1, 4)
        builder.PrependUOffsetTRelative(item)
        vectors.append(builder.EndVector())
    builder.StartObject(4)
    builder.PrependUOffsetTRelativeSlot(1, vectors[0], 0)
    builder.PrependUOffsetTRelativeSlot(2, vectors[1], 0)
    infer = builder.EndObject()
    builder.StartObject(2)
    builder.PrependUOffsetTRelativeSlot(1, infer, 0)
    builder.PrependUint8Slot(0, 1, 0)
    builder.Finish(builder.EndObject())
    return bytes(builder.Output())


def foreign_answer(body: bytes) -> np.ndarray:
    """The first output of an InferResponse, read by the flatbuffers library."""
    response = Table(bytearray(body), encode.Get(packer.uoffset, body, 0))
    tensors = response.Offset(4)
    tensor = Table(response.Bytes, response.Indirect(response.Vector(tensors)))
    assert tensor.Get(flatbuffers.number_types.Uint8Flags, tensor.Pos + tensor.Offset(4)) == 10

    def vector(slot: int, dtype: str) -> np.ndarray:
        offset = tensor.Offset(slot)
        count = tensor.VectorLen(offset)
        return np.frombuffer(body, dtype, count // (1 if dtype == "<i8" else 4), tensor.Vector(offset))

    return vector(8, "<f4").reshape(vector(6, "<i8"))


def test_a_client_of_the_flatbuffers_library_is_answered(start: Start, place: Any, models: Path) -> None:
    place("ours", 1)
    service = start("--models", models)
    answer = requests.post(service.url, data=foreign_request(WINDOWS), timeout=10)
    assert answer.status_code == 200
    np.testing.assert_allclose(foreign_answer(answer.content), FORECAST, rtol=1e-6)
    assert requests.post(service.url, data=b"junk", timeout=10).status_code == 400
    assert requests.get(f"{service.url}/control/is_ready", timeout=10).text == "ok\n"


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


@pytest.mark.skipif(
    importlib.util.find_spec("graphpipe") is None,
    reason="the PyPI client graphpipe 1.0.4 is not installed (Python 3.11: pip install --no-deps graphpipe)",
)
def test_the_public_python_client_is_answered(start: Start, place: Any, models: Path) -> None:
    from graphpipe import remote

    place("ours", 1)
    service = start("--models", models)
    np.testing.assert_allclose(remote.execute(service.url, WINDOWS), FORECAST, rtol=1e-6)
    np.testing.assert_allclose(
        remote.execute(service.url, WINDOWS, "windows", "forecast"), FORECAST, rtol=1e-6
    )
    with pytest.raises(requests.HTTPError, match="400"):
        remote.execute(service.url, WINDOWS[:, :3])
    assert remote.metadata(service.url).Name() == b"forecast"
    assert remote.get_input_shapes(service.url) == [[None, 6]]


def test_versions_swap_under_load_without_an_error(start: Start, place: Any, models: Path) -> None:
    """8 clients call all the time while a version, a broken version and one with another shape are added and one is
    retired, and equally long without changes for comparison. test_swap_delay.py has versions that load slowly.
    """
    place("ours", 1)
    service = start("--models", models)
    stop = threading.Event()
    errors: list[Exception] = []
    versions: list[set[str | None]] = [set() for _ in range(8)]
    calls = [0] * 8
    answered: list[list[tuple[float, float]]] = [[] for _ in range(8)]  # when it was called, how long it took

    def call(number: int) -> None:
        client = GraphPipeClient(service.url, timeout_s=10)
        windows = WINDOWS
        while not stop.wait(0.005):  # the service needs the processor, too
            started = time.perf_counter()
            try:
                answer = client.infer(windows)
                answered[number].append((started, time.perf_counter() - started))
                offset = {"1": 0, "2": 1000, "4": 2000}[answer.model_version or ""]
                np.testing.assert_allclose(answer.outputs[:, 0, 0], windows.mean(1) + offset, rtol=1e-5)
            except InvalidShape:  # the swap to another window, survived as the contract of the function says
                windows = np.zeros((2, client.metadata().inputs[0].shape[1]), np.float32)
                continue
            except Exception as error:
                errors.append(error)
                return
            calls[number] += 1
            versions[number].add(answer.model_version)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    try:
        begin = time.perf_counter()
        place("ours_later", 2)
        service.wait_for("forecast/2 is in service")
        place("broken", 3)
        assert "not finite" in service.wait_for("forecast/3 is rejected")
        four = place("ours_wider", 4)
        service.wait_for("forecast/4 is in service")
        (four / "retired").touch()
        service.wait_for("forecast/4 is out of service")
        before = list(calls)
        deadline = time.monotonic() + 10
        while any(now == then for now, then in zip(calls, before, strict=True)) and not errors:
            assert time.monotonic() < deadline
            stop.wait(0.01)
        changed = time.perf_counter()
        stop.wait(changed - begin)
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)
    assert errors == []
    assert set().union(*versions) >= {"1", "2", "4"}
    every = [answer for each in answered for answer in each]
    during = max(seconds for started, seconds in every if begin <= started < changed)
    without = max(seconds for started, seconds in every if started >= changed)
    assert during < without + 1, (during, without)  # 0.02 s each on an idle machine
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
