"""One contract suite for all clients, against a real service: GraphPipe, REST, gRPC, and balanced."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from fncast.http.listener import bind
from model_service.client import (
    InvalidShape,
    ModelClient,
    ModelError,
    ModelUnavailable,
    connect_graphpipe,
    connect_inference_protocol,
)
from model_service.serving.model import Model

WINDOWS = np.arange(12, dtype=np.float32).reshape(2, 6)
FORECAST = WINDOWS.mean(1)[:, None, None] + np.arange(2)[:, None] + np.arange(3)[None, :]
PROTOCOLS = ("graphpipe", "rest", "grpc", "several")
Connect = Callable[[str, float], ModelClient]


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def connect(protocol: str, url: str, grpc_address: str) -> Iterator[Connect]:
    """connect(path, timeout_s) returns a client of the service; the path names the model."""
    opened: list[ModelClient] = []

    def open_one(path: str = "/forecast", timeout_s: float = 5) -> ModelClient:
        if protocol == "graphpipe":
            client = connect_graphpipe(url + path, timeout_s)
        elif protocol == "rest":
            client = connect_inference_protocol(url + path, timeout_s)
        elif protocol == "grpc":
            client = connect_inference_protocol(f"grpc://{grpc_address}{path}", timeout_s)
        else:
            urls = f"{url}{path}, grpc://{grpc_address}{path}, http://127.0.0.1:1{path}"
            client = connect_inference_protocol(urls, timeout_s)
        opened.append(client)
        return client

    yield open_one
    for client in opened:
        client.close()


def test_it_forecasts_and_names_the_model(connect: Any) -> None:
    client = connect()
    for _ in range(4):
        answer = client.infer(WINDOWS)
        assert answer.outputs.dtype == np.float32
        np.testing.assert_allclose(answer.outputs, FORECAST)
        assert (answer.model_name, answer.model_version) == ("forecast", "2")


def test_the_path_chooses_the_version(connect: Any) -> None:
    answer = connect("/forecast/1").infer(WINDOWS)
    np.testing.assert_allclose(answer.outputs, FORECAST + 100)
    assert answer.model_version == "1"


def test_without_a_path_it_is_the_model_called_forecast(connect: Any) -> None:
    assert connect("").infer(WINDOWS).model_name == "forecast"


def test_it_describes_the_model(connect: Any) -> None:
    metadata = connect().metadata()
    assert (metadata.name, metadata.version) == ("forecast", "2")
    assert metadata.inputs[0].shape == (-1, 6)
    assert json.loads(metadata.description)["quantiles"] == [0.1, 0.5, 0.9]


def test_windows_that_do_not_fit_are_an_invalid_shape(connect: Any) -> None:
    client = connect()
    with pytest.raises(InvalidShape, match=r"has the shape \[-1, 6\], not \[2, 5\]"):
        client.infer(WINDOWS[:, :5])
    np.testing.assert_allclose(client.infer(WINDOWS).outputs, FORECAST)


def test_metadata_show_a_replaced_model(connect: Any, shelf: Any, fake_runtime: Any) -> None:
    client = connect()
    client.infer(WINDOWS)
    runtime = fake_runtime(window=4)
    details = {"window": 4, "horizon": 2}
    wider = Model("forecast", 3, runtime, json.dumps(details), details)
    shelf.paths = {"/": wider, "/forecast": wider, "/forecast/3": wider}
    with pytest.raises(InvalidShape):
        client.infer(WINDOWS)
    assert client.metadata().inputs[0].shape == (-1, 4)
    assert client.infer(WINDOWS[:, :4]).model_version == "3"


def test_one_call_scores_many_windows(connect: Any) -> None:
    windows = np.arange(6 * 20_000, dtype=np.float32).reshape(-1, 6)
    answer = connect().infer(windows)
    np.testing.assert_allclose(answer.outputs[:, 0, 0], windows.mean(1), rtol=1e-5)


def test_too_many_windows_are_a_permanent_error(connect: Any) -> None:
    client = connect()
    with pytest.raises(
        ModelError, match="131073 windows; at most 131072 are accepted, so split it"
    ) as raised:
        client.infer(np.zeros((131_073, 6), np.float32))
    assert not isinstance(raised.value, InvalidShape)
    assert client.infer(WINDOWS).model_version == "2"


def test_a_missing_model_is_a_temporary_error(connect: Any, shelf: Any) -> None:
    with pytest.raises(ModelUnavailable, match="no model at '/weather'"):
        connect("/weather").infer(WINDOWS)
    shelf.paths = {}
    client = connect()
    for call in (client.metadata, lambda: client.infer(WINDOWS)):
        with pytest.raises(ModelUnavailable, match="no model is in service yet"):
            call()


def test_a_bug_in_the_model_is_a_temporary_error(connect: Any, shelf: Any) -> None:
    def fail(_: Any) -> Any:
        raise RuntimeError("kernel panic")

    shelf.paths["/"].runtime.run = fail
    with pytest.raises(ModelUnavailable, match="kernel panic"):
        connect().infer(WINDOWS)


def test_a_model_that_takes_too_long_is_unavailable(connect: Any, shelf: Any) -> None:
    client = connect(timeout_s=0.3)
    client.infer(WINDOWS)
    go_on = threading.Event()
    run = shelf.paths["/"].runtime.run

    def wait(inputs: Any) -> Any:
        go_on.wait(10)
        return run(inputs)

    shelf.paths["/"].runtime.run = wait
    try:
        with pytest.raises(ModelUnavailable, match=r"within 0\.(3|15) s"):  # of several each gets half
            client.infer(WINDOWS)
    finally:
        go_on.set()


@pytest.mark.parametrize("scheme", ["http", "grpc"])
def test_an_unreachable_service_is_named(scheme: str) -> None:
    with bind("127.0.0.1", 0) as probe:
        port = probe.getsockname()[1]
    client = connect_inference_protocol(f"{scheme}://127.0.0.1:{port}/forecast", 5)
    with pytest.raises(ModelUnavailable, match=f"{scheme}://127.0.0.1:{port}/forecast .*refused"):
        client.infer(WINDOWS)
    client.close()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("localhost:9000", "expected http://host:port or https://host:port or grpc://"),
        ("grpc://localhost", "the port is missing"),
        ("http://h:1/a/b/c", "does not name a model; expected /NAME, /NAME/VERSION or /v2/models/NAME"),
        ("grpc://h:1, ", "an address is missing"),
        ("http://h:1,http://h:2, http://h:1", "'http://h:1' is listed twice"),
        (",".join(f"http://h:{port}" for port in range(1, 66)), "65 addresses of model services; at most 64"),
    ],
)
def test_an_invalid_address_is_rejected_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        connect_inference_protocol(url)
