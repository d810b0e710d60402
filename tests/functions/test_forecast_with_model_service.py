"""The function and the model service over real GraphPipe: what the fake client of the other tests stands for."""

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import orjson
import pytest

from commands.serve import bind, server
from events import BATCH_TYPE
from handler import Forecaster
from model import Model
from model_service import model as served
from model_service.client import GraphPipeClient
from model_service.metrics import Metrics
from model_service.runtime import Array, TensorSpec
from model_service.server import ModelServer

FLOAT32 = np.dtype(np.float32)


class Naive:
    """Repeats the last reading, one up or down for the outer quantiles. A foreign one gives the median alone."""

    kind = "naive"

    def __init__(self, window: int, horizon: int, is_foreign: bool = False) -> None:
        self.inputs = (TensorSpec("windows", FLOAT32, (-1, window)),)
        shape = (-1, horizon) if is_foreign else (-1, horizon, 3)
        self.outputs = (TensorSpec("forecast", FLOAT32, shape),)
        self._spread = np.zeros(horizon) if is_foreign else np.array([[-1.0, 0.0, 1.0]] * horizon)

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        last = inputs["windows"][:, -1].reshape(-1, *[1] * self._spread.ndim)
        return {"forecast": (last + self._spread).astype(np.float32)}


class Shelf:
    """The models of the service; a test swaps them."""

    def __init__(self) -> None:
        self.paths: Mapping[str, served.Model] = {}

    def refresh(self) -> Sequence[served.Model]:
        return ()

    def put(self, version: int, window: int, horizon: int = 2, is_foreign: bool = False) -> None:
        details: dict[str, Any] = {"window": window, "horizon": horizon, "quantiles": [0.1, 0.5, 0.9]}
        description = "a model" if is_foreign else json.dumps(details)
        runtime = Naive(window, horizon, is_foreign)
        self.paths = {
            "/": served.Model("forecast", version, runtime, description, {} if is_foreign else details)
        }


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def forecaster(shelf: Shelf) -> Iterator[Forecaster]:
    listener = bind("127.0.0.1", 0)
    running = server(ModelServer(shelf, Metrics()))
    # Signals belong to the main thread.
    running.capture_signals = lambda: threading.Lock()  # type: ignore[method-assign,assignment,return-value]
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
    thread.start()
    client = GraphPipeClient("http://{}:{}".format(*listener.getsockname()), timeout_s=5)
    yield Forecaster(Model(client))
    client.close()
    running.should_exit = True
    thread.join(10)
    assert not thread.is_alive()


def ask(forecaster: Forecaster, *windows: list[float]) -> list[dict[str, Any]]:
    events = [
        {"specversion": "1.0", "id": str(n), "source": "/a", "type": "t", "data": window}
        for n, window in enumerate(windows)
    ]
    answer = forecaster.answer({"content-type": BATCH_TYPE}, orjson.dumps(events))
    outputs: list[dict[str, Any]] = json.loads(answer.body)
    return outputs


def test_forecasts_over_the_wire(shelf: Shelf, forecaster: Forecaster) -> None:
    shelf.put(3, window=4)
    first, short, large = ask(forecaster, [1, 2, 3, 4.5], [1], [1e12, 1e12, 1e12, 1e12 + 7])
    assert first["modelname"] == "forecast"
    assert first["modelversion"] == "3"
    assert first["data"]["quantiles"] == {"0.1": [3.5, 3.5], "0.5": [4.5, 4.5], "0.9": [5.5, 5.5]}
    assert short["type"] == "io.fncast.rejected.v1"
    assert large["data"]["values"] == [1e12 + 7, 1e12 + 7]


@pytest.mark.parametrize("window", [3, 6])
def test_a_swap_to_another_window_is_survived(shelf: Shelf, forecaster: Forecaster, window: int) -> None:
    shelf.put(1, window=4)
    readings = [1.0, 2, 3, 4, 5, 6]
    assert ask(forecaster, readings)[0]["modelversion"] == "1"
    shelf.put(2, window=window, horizon=3)
    (output,) = ask(forecaster, readings)
    assert output["modelversion"] == "2"
    assert output["data"]["values"] == [6, 6, 6]


def test_a_server_without_model_json_gives_the_median(shelf: Shelf, forecaster: Forecaster) -> None:
    shelf.put(1, window=4, is_foreign=True)
    good, short = ask(forecaster, [1, 2, 3, 4, 5], [1, 2])
    assert good["data"]["quantiles"] == {"0.5": [5, 5]}
    assert short["data"]["reason"] == "too few values: 2, the model needs 4"


def test_no_model_is_unavailable(shelf: Shelf, forecaster: Forecaster) -> None:
    (output,) = ask(forecaster, [1, 2, 3, 4])
    assert output["type"] == "io.fncast.unavailable.v1"
    assert output["data"]["retry_after_s"] > 0
