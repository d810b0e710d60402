"""The function and the model service over real GraphPipe: what the fake client of the other tests stands for."""

import json
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from events import BATCH_TYPE
from handler import Forecaster
from model import Model
from model_service.client import GraphPipeClient


@pytest.fixture
def forecaster(model_url: str) -> Iterator[Forecaster]:
    client = GraphPipeClient(model_url, timeout_s=5)
    yield Forecaster(Model(client))
    client.close()


def ask(forecaster: Forecaster, *windows: list[float]) -> list[dict[str, Any]]:
    events = [
        {"specversion": "1.0", "id": str(n), "source": "/a", "type": "t", "data": window}
        for n, window in enumerate(windows)
    ]
    answer = forecaster.answer({"content-type": BATCH_TYPE}, orjson.dumps(events))
    outputs: list[dict[str, Any]] = json.loads(answer.body)
    return outputs


def test_forecasts_over_the_wire(shelf: Any, forecaster: Forecaster) -> None:
    shelf.put(3, window=4)
    first, short, large = ask(forecaster, [1, 2, 3, 4.5], [1], [1e12, 1e12, 1e12, 1e12 + 7])
    assert first["modelname"] == "forecast"
    assert first["modelversion"] == "3"
    assert first["data"]["quantiles"] == {"0.1": [3.5, 3.5], "0.5": [4.5, 4.5], "0.9": [5.5, 5.5]}
    assert short["type"] == "io.fncast.rejected.v1"
    assert large["data"]["values"] == [1e12 + 7, 1e12 + 7]


@pytest.mark.parametrize("window", [3, 6])
def test_a_swap_to_another_window_is_survived(shelf: Any, forecaster: Forecaster, window: int) -> None:
    shelf.put(1, window=4)
    readings = [1.0, 2, 3, 4, 5, 6]
    assert ask(forecaster, readings)[0]["modelversion"] == "1"
    shelf.put(2, window=window, horizon=3)
    (output,) = ask(forecaster, readings)
    assert output["modelversion"] == "2"
    assert output["data"]["values"] == [6, 6, 6]


def test_a_server_without_model_json_gives_the_median(shelf: Any, forecaster: Forecaster) -> None:
    shelf.put(1, window=4, is_foreign=True)
    good, short = ask(forecaster, [1, 2, 3, 4, 5], [1, 2])
    assert good["data"]["quantiles"] == {"0.5": [5, 5]}
    assert short["data"]["reason"] == "too few values: 2, the model needs 4"


def test_no_model_is_unavailable(shelf: Any, forecaster: Forecaster) -> None:
    (output,) = ask(forecaster, [1, 2, 3, 4])
    assert output["type"] == "io.fncast.unavailable.v1"
    assert output["data"]["retry_after_s"] > 0
