"""REST, tested with the public client tritonclient, and with plain HTTP for details that it hides."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import requests
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

from model_service.protocols.open_inference import rest_endpoint, rest_response
from model_service.serving import request_body
from model_service.serving.runtimes.runtime import RejectedInput
from tests.model_service.protocols.open_inference.rest_calls import FORECAST, PLAIN, WINDOWS, tensor, windows

TEXTS = np.array([b"one", b"", "zwölf".encode()], object)
NUMBERS = np.array([1, -2, 3], np.int32)


@pytest.fixture
def client(url: str) -> Iterator[InferenceServerClient]:
    client = InferenceServerClient(url.removeprefix("http://"))
    yield client
    client.close()


def test_server_and_models_say_whether_they_are_ready(client: InferenceServerClient, shelf: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("forecast")
    assert client.is_model_ready("forecast", "1")
    assert not client.is_model_ready("forecast", "9")
    shelf.paths = {}
    assert client.is_server_live()
    assert not client.is_server_ready()


def test_metadata_describe_inputs_and_versions(client: InferenceServerClient) -> None:
    server = client.get_server_metadata()
    assert (server["name"], server["extensions"]) == ("fncast", ["binary_tensor_data"])
    model = client.get_model_metadata("forecast", "1")
    assert model["name"] == "forecast"
    assert model["versions"] == ["2", "1"]
    assert model["inputs"] == [{"name": "windows", "datatype": "FP32", "shape": [-1, 6]}]
    assert model["outputs"] == [{"name": "forecast", "datatype": "FP32", "shape": [-1, 2, 3]}]
    assert model["parameters"]["model_version"] == "1"
    assert json.loads(model["parameters"]["model_json"])["window"] == 6
    with pytest.raises(InferenceServerException, match="no model at '/weather'"):
        client.get_model_metadata("weather")


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
def test_an_inference_names_its_model_version_and_id(
    client: InferenceServerClient, binary_in: bool, binary_out: bool
) -> None:
    outputs = [InferRequestedOutput("forecast", binary_data=binary_out)]
    result = client.infer("forecast", windows(binary_in), outputs=outputs, request_id="a 7")
    np.testing.assert_allclose(result.as_numpy("forecast"), FORECAST)
    answer = result.get_response()
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("forecast", "2", "a 7")


def test_an_older_version_forecasts_at_its_number(client: InferenceServerClient) -> None:
    result = client.infer("forecast", windows(), model_version="1")
    np.testing.assert_allclose(result.as_numpy("forecast"), FORECAST + 100)
    assert "id" not in result.get_response()


@pytest.mark.parametrize("binary", [True, False])
def test_strings_and_integers_are_scored_and_outputs_can_be_chosen(
    client: InferenceServerClient, binary: bool
) -> None:
    inputs = [tensor("texts", TEXTS, "BYTES", binary), tensor("numbers", NUMBERS, "INT32", binary)]
    every = client.infer("words", inputs)
    assert every.as_numpy("doubled").tolist() == [2, -4, 6]
    assert every.as_numpy("texts").tolist() == TEXTS.tolist()
    outputs = [
        InferRequestedOutput("texts", binary_data=not binary),
        InferRequestedOutput("lengths", binary_data=binary),
    ]
    some = client.infer("words", inputs, outputs=outputs)
    assert [output["name"] for output in some.get_response()["outputs"]] == ["texts", "lengths"]
    assert some.as_numpy("lengths").tolist() == [3, 0, 6]
    texts = some.as_numpy("texts").tolist()
    assert [text if isinstance(text, bytes) else text.encode() for text in texts] == TEXTS.tolist()


@pytest.mark.parametrize(
    ("model", "inputs", "reason"),
    [
        ("forecast", windows(array=WINDOWS[:, :5]), r"has the shape \[-1, 6\], not \[2, 5\]"),
        ("forecast", [tensor("windows", WINDOWS.astype(np.float64), "FP64")], "is Float32, not Float64"),
        ("forecast", [tensor("windows", np.zeros((1, 6), bool), "BOOL")], "is Float32, not bool"),
        ("forecast", [tensor("x", WINDOWS, "FP32")], "has no input 'x'; it has windows"),
        ("weather", windows(), "no model at '/weather'; there are /, /forecast"),
    ],
)
def test_an_error_has_a_reason_and_a_status(
    client: InferenceServerClient, model: str, inputs: list[InferInput], reason: str
) -> None:
    with pytest.raises(InferenceServerException, match=reason) as raised:
        client.infer(model, inputs)
    assert raised.value.status() == ("404" if model == "weather" else "400")


def test_an_unknown_output_is_rejected(client: InferenceServerClient) -> None:
    with pytest.raises(InferenceServerException, match="has no output 'y'; it has forecast"):
        client.infer("forecast", windows(), outputs=[InferRequestedOutput("y")])


def test_plain_http_gets_json_unless_it_asks_for_raw_bytes(url: str) -> None:
    answer = requests.post(f"{url}/v2/models/forecast/versions/2/infer", json=PLAIN, timeout=10)
    assert answer.headers["Content-Type"] == "application/json"
    assert (answer.headers["Model-Name"], answer.headers["Model-Version"]) == ("forecast", "2")
    assert answer.json() == {
        "model_name": "forecast",
        "model_version": "2",
        "id": "1",
        "outputs": [
            {"name": "forecast", "datatype": "FP32", "shape": [2, 2, 3], "data": FORECAST.ravel().tolist()}
        ],
    }
    raw = requests.post(
        f"{url}/v2/models/forecast/infer",
        json={**PLAIN, "parameters": {"binary_data_output": True}},
        timeout=10,
    )
    document = int(raw.headers["Inference-Header-Content-Length"])
    assert json.loads(raw.content[:document])["outputs"][0]["parameters"] == {"binary_data_size": 48}
    np.testing.assert_allclose(np.frombuffer(raw.content[document:], "<f4"), FORECAST.ravel())


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "reason"),
    [
        ("POST", "/v2/models/forecast/infer", {"data": b"junk"}, 400, "not JSON"),
        ("POST", "/v2/models/forecast/infer", {"data": b""}, 400, "not JSON"),
        (
            "POST",
            "/v2/models/forecast/infer",
            {"json": PLAIN, "headers": {"Inference-Header-Content-Length": "-1"}},
            400,
            "must be a number of bytes",
        ),
        (
            "POST",
            "/v2/models/forecast/infer",
            {"json": PLAIN, "headers": {"Content-Encoding": "gzip"}},
            415,
            "compressed",
        ),
        ("GET", "/v2/models/forecast/infer", {}, 405, "use POST"),
        ("POST", "/v2/health/live", {}, 405, "not POST"),
        ("POST", "/v2/repository/index", {}, 404, "nothing at"),
        ("GET", "/v2/models", {}, 404, "nothing at '/v2/models'"),
        ("GET", "/v2/models/forecast/versions/3", {}, 404, "no model at '/forecast/3'"),
        ("GET", "/v2/models/forecast/versions/3/ready", {}, 404, "no model at"),
        ("GET", "/v2/repository/index", {}, 404, "nothing at"),
    ],
)
def test_every_error_is_json_and_says_what_is_wrong(
    url: str, method: str, path: str, options: dict[str, Any], status: int, reason: str
) -> None:
    answer = requests.request(method, url + path, timeout=10, **options)
    assert answer.status_code == status
    assert reason in answer.json()["error"]
    assert ("Allow" in answer.headers) == (status == 405)


def test_without_a_model_the_response_has_retry_after(url: str, shelf: Any) -> None:
    shelf.paths = {}
    answer = requests.post(f"{url}/v2/models/forecast/infer", json=PLAIN, timeout=10)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json() == {"error": "no model is in service yet"}


@pytest.mark.parametrize(
    ("raised", "status"),
    [(RejectedInput("index 9 is out of range"), 400), (RuntimeError("kernel panic"), 500)],
)
def test_an_error_of_the_model_has_its_status(
    url: str, shelf: Any, monkeypatch: pytest.MonkeyPatch, raised: Exception, status: int
) -> None:
    def fail(_: Any) -> Any:
        raise raised

    monkeypatch.setattr(shelf.paths["/"].runtime, "run", fail)
    answer = requests.post(f"{url}/v2/models/forecast/infer", json=PLAIN, timeout=10)
    assert answer.status_code == status
    assert str(raised) in answer.json()["error"]


def test_bodies_are_limited_as_for_graphpipe(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "MAX_BODY_BYTES", 100_000)
    answer = requests.post(f"{url}/v2/models/forecast/infer", data=b" " * 1_000_000, timeout=10)
    assert answer.status_code == 413
    assert "more than 100000 bytes" in answer.json()["error"]


def test_json_is_limited_and_raw_tensors_are_not(
    url: str, client: InferenceServerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest_endpoint, "MAX_JSON_BYTES", 1000)
    many = np.ones((100, 6), np.float32)
    with pytest.raises(InferenceServerException, match=r"JSON has more than 1000 bytes; .* raw") as raised:
        client.infer("forecast", windows(binary=False, array=many))
    assert raised.value.status() == "413"
    assert client.infer("forecast", windows(array=many)).as_numpy("forecast").shape == (100, 2, 3)
    long = {"Inference-Header-Content-Length": "5000"}
    answer = requests.post(f"{url}/v2/models/forecast/infer", data=b" " * 5000, headers=long, timeout=10)
    assert answer.status_code == 413


def test_json_responses_are_limited_and_raw_ones_are_not(
    url: str, client: InferenceServerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest_response, "MAX_JSON_VALUES", 12)
    assert requests.post(f"{url}/v2/models/forecast/infer", json=PLAIN, timeout=10).status_code == 200
    many = np.ones((3, 6), np.float32)
    as_json = [InferRequestedOutput("forecast", binary_data=False)]
    with pytest.raises(
        InferenceServerException, match=r"has 18 values as JSON; .*binary_data_output"
    ) as raised:
        client.infer("forecast", windows(array=many), outputs=as_json)
    assert raised.value.status() == "413"
    assert client.infer("forecast", windows(array=many)).as_numpy("forecast").shape == (3, 2, 3)
