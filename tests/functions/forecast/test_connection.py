"""The function with a real model service, over each protocol."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from connection import NoClient, connect
from events import BATCH_TYPE
from handler import Forecaster
from model import ForecastModel


@pytest.fixture(params=["GraphPipe", "REST", "gRPC", "GraphPipe at two addresses"])
def config(request: pytest.FixtureRequest, model_url: str, grpc_url: str) -> dict[str, str]:
    """The function's configuration. Of two addresses the first is a closed port."""
    return {
        "GraphPipe": {"GP_SERVER_URL": model_url},
        "REST": {"KSERVE_URL": model_url},
        "gRPC": {"KSERVE_URL": grpc_url},
        "GraphPipe at two addresses": {"GP_SERVER_URL": f"http://127.0.0.1:1, {model_url}"},
    }[request.param]


@pytest.fixture
def forecaster(config: dict[str, str]) -> Iterator[Forecaster]:
    client = connect(config)
    yield Forecaster(ForecastModel(client))
    client.close()


def ask(forecaster: Forecaster, *windows: list[float]) -> list[dict[str, Any]]:
    events = [
        {"specversion": "1.0", "id": str(n), "source": "/a", "type": "t", "data": window}
        for n, window in enumerate(windows)
    ]
    answer = forecaster.answer({"content-type": BATCH_TYPE}, orjson.dumps(events))
    outputs: list[dict[str, Any]] = json.loads(answer.body)
    return outputs


def test_windows_are_forecast_over_the_wire(shelf: Any, forecaster: Forecaster) -> None:
    shelf.put(3, window=4)
    first, short, large = ask(forecaster, [1, 2, 3, 4.5], [1], [1e12, 1e12, 1e12, 1e12 + 7])
    assert first["modelname"] == "forecast"
    assert first["modelversion"] == "3"
    assert first["data"]["quantiles"] == {"0.1": [3.5, 3.5], "0.5": [4.5, 4.5], "0.9": [5.5, 5.5]}
    assert short["type"] == "io.fncast.rejected.v1"
    assert large["data"]["values"] == [1e12 + 7, 1e12 + 7]


@pytest.mark.parametrize("window", [3, 6])
def test_a_new_model_may_have_another_window(shelf: Any, forecaster: Forecaster, window: int) -> None:
    shelf.put(1, window=4)
    readings = [1.0, 2, 3, 4, 5, 6]
    assert ask(forecaster, readings)[0]["modelversion"] == "1"
    shelf.put(2, window=window, horizon=3)
    (output,) = ask(forecaster, readings)
    assert output["modelversion"] == "2"
    assert output["data"]["values"] == [6, 6, 6]


def test_a_server_without_model_json_has_only_the_median(shelf: Any, forecaster: Forecaster) -> None:
    shelf.put(1, window=4, is_foreign=True)
    good, short = ask(forecaster, [1, 2, 3, 4, 5], [1, 2])
    assert good["data"]["quantiles"] == {"0.5": [5, 5]}
    assert short["data"]["reason"] == "too few values: 2, the model needs 4"


def test_no_model_is_unavailable(shelf: Any, forecaster: Forecaster) -> None:
    (output,) = ask(forecaster, [1, 2, 3, 4])
    assert output["type"] == "io.fncast.unavailable.v1"
    assert output["data"]["retry_after_s"] > 0


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({}, "neither GP_SERVER_URL nor KSERVE_URL is set"),
        ({"GP_SERVER_URL": "", "KSERVE_URL": ""}, "neither GP_SERVER_URL nor KSERVE_URL is set"),
        (
            {"GP_SERVER_URL": "http://a:1", "KSERVE_URL": "http://a:1"},
            "GP_SERVER_URL and KSERVE_URL are both set",
        ),
        (
            {"GP_SERVER_URL": "grpc://a:1"},
            "GP_SERVER_URL: 'grpc://a:1' is not the address of a model service",
        ),
        ({"KSERVE_URL": "a:1"}, "KSERVE_URL: 'a:1' is not the address of a model service"),
        (
            {"KSERVE_URL": "http://me:secret@a:1"},
            "KSERVE_URL: the address of a model service contains a login",
        ),
        (
            {"KSERVE_URL": "http://me:secret@a:b"},
            "KSERVE_URL: the address of a model service contains a login",
        ),
        (
            {"GP_SERVER_URL": "http://me:secret@[::1"},
            "GP_SERVER_URL: the address of a model service contains a login",
        ),
        ({"KSERVE_URL": "http://a:1", "KSERVE_TOKEN": "a\nb"}, "KSERVE_URL: the token for the model service"),
    ],
)
def test_a_wrong_configuration_is_reported_in_each_answer(config: dict[str, str], reason: str) -> None:
    client = connect(config)
    assert isinstance(client, NoClient)
    (output,) = ask(Forecaster(ForecastModel(client)), [1, 2, 3, 4])
    assert output["type"] == "io.fncast.unavailable.v1"
    assert reason in output["data"]["reason"]
    assert output["data"]["retry_after_s"] == 30


def test_grpc_is_imported_only_for_a_grpc_address() -> None:
    code = """
import sys
sys.modules["grpc"] = sys.modules["google.protobuf"] = None
sys.path[:0] = ["functions/forecast"]
from connection import connect
connect({"GP_SERVER_URL": "http://a:1"})
connect({"KSERVE_URL": "http://a:1"})
connect({"KSERVE_URL": "grpc://a:1"}).infer(None)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "ModelUnavailable: KSERVE_URL: 'grpc://a:1' needs the module 'grpc'" in done.stderr
