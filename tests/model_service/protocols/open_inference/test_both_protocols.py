"""Compares the responses of REST and gRPC to the same request."""

from __future__ import annotations

import json
from typing import Any

import grpc
import numpy as np
import pytest
import requests
from tritonclient.grpc import service_pb2
from tritonclient.grpc.service_pb2_grpc import GRPCInferenceServiceStub

WINDOWS = np.arange(12, dtype=np.float32).reshape(2, 6)
# gRPC's code for each status of HTTP, as docs/protocols.md lists them.
CODES = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    404: grpc.StatusCode.NOT_FOUND,
    503: grpc.StatusCode.UNAVAILABLE,
}


class Both:
    """Calls one service by both protocols. Each method returns (HTTP status, response) for REST and for gRPC."""

    def __init__(self, url: str, channel: grpc.Channel) -> None:
        self._url = url
        self._stub = GRPCInferenceServiceStub(channel)

    def rest(self, method: str, path: str, body: bytes = b"", headers: Any = None) -> tuple[int, Any]:
        answer = requests.request(method, self._url + path, data=body, headers=headers, timeout=10)
        return answer.status_code, answer.json()

    def grpc(self, method: str, request: Any) -> tuple[int, Any]:
        try:
            return 200, getattr(self._stub, method)(request)
        except grpc.RpcError as error:
            status = next(status for status, code in CODES.items() if code == error.code())
            return status, error.details()

    def infer(
        self, name: str, version: str, datatype: str, shape: list[int], data: bytes
    ) -> tuple[tuple[int, Any], tuple[int, Any]]:
        """The forecast of a raw tensor called `windows`, or the reason for an error."""
        parameters = {"binary_data_size": len(data)}
        tensor = {"name": "windows", "datatype": datatype, "shape": shape, "parameters": parameters}
        document = json.dumps({"inputs": [tensor]}).encode()
        headers = {"Inference-Header-Content-Length": str(len(document))}
        rest = self.rest("POST", f"{_path(name, version)}/infer", document + data, headers)
        described = service_pb2.ModelInferRequest.InferInputTensor(
            name="windows", datatype=datatype, shape=shape
        )
        request = service_pb2.ModelInferRequest(
            model_name=name, model_version=version, inputs=[described], raw_input_contents=[data]
        )
        return rest, self.grpc("ModelInfer", request)


def _path(name: str, version: str) -> str:
    return f"/v2/models/{name}" + (f"/versions/{version}" if version else "")


@pytest.fixture
def both(url: str, grpc_address: str) -> Any:
    with grpc.insecure_channel(grpc_address) as channel:
        yield Both(url, channel)


def test_health_is_the_same_in_both(both: Both, shelf: Any) -> None:
    for is_ready in (True, False):
        assert both.rest("GET", "/v2/health/live") == (200, {"live": True})
        assert both.grpc("ServerLive", service_pb2.ServerLiveRequest())[1].live
        assert both.rest("GET", "/v2/health/ready")[1] == {"ready": is_ready}
        assert both.grpc("ServerReady", service_pb2.ServerReadyRequest())[1].ready == is_ready
        shelf.paths = {}


@pytest.mark.parametrize(
    ("name", "version", "is_ready"),
    [
        ("forecast", "", True),
        ("forecast", "1", True),
        ("forecast", "latest", True),
        ("forecast", "9", False),
        ("forecast", "one", False),
        ("forecast", "-1", False),
        ("weather", "", False),
        ("weather", "1", False),
        ("weather", "latest", False),
    ],
)
def test_both_protocols_agree_on_readiness(both: Both, name: str, version: str, is_ready: bool) -> None:
    """Not ready is not an error: `ready` is false. The protocol requires the REST status 404."""
    status, answer = both.rest("GET", f"{_path(name, version)}/ready")
    assert answer["ready"] == is_ready
    assert status == (200 if is_ready else 404)
    request = service_pb2.ModelReadyRequest(name=name, version=version)
    status, answer = both.grpc("ModelReady", request)
    assert (status, answer.ready) == (200, is_ready)


def test_no_model_is_ready_if_none_is_in_service(both: Both, shelf: Any) -> None:
    shelf.paths = {}
    status, answer = both.rest("GET", "/v2/models/forecast/ready")
    assert (status, answer["ready"]) == (503, False)
    assert not both.grpc("ModelReady", service_pb2.ModelReadyRequest(name="forecast"))[1].ready


@pytest.mark.parametrize("version", ["", "1", "2", "latest"])
def test_metadata_are_the_same_in_both(both: Both, version: str) -> None:
    _, rest = both.rest("GET", _path("forecast", version))
    _, answer = both.grpc("ModelMetadata", service_pb2.ModelMetadataRequest(name="forecast", version=version))
    assert rest["parameters"]["model_version"] == (version if version.isdigit() else "2")
    assert (rest["name"], rest["versions"], rest["platform"]) == (
        answer.name,
        list(answer.versions),
        answer.platform,
    )
    for tensors, described in ((rest["inputs"], answer.inputs), (rest["outputs"], answer.outputs)):
        assert [(each["name"], each["datatype"], each["shape"]) for each in tensors] == [
            (each.name, each.datatype, list(each.shape)) for each in described
        ]


@pytest.mark.parametrize(("name", "version"), [("weather", ""), ("forecast", "9"), ("weather", "latest")])
def test_metadata_of_a_missing_model_are_the_same_error_in_both(both: Both, name: str, version: str) -> None:
    rest = both.rest("GET", _path(name, version))
    answer = both.grpc("ModelMetadata", service_pb2.ModelMetadataRequest(name=name, version=version))
    assert rest[0] == answer[0] == 404
    assert rest[1]["error"].startswith(answer[1])


@pytest.mark.parametrize("version", ["", "1", "2", "latest"])
def test_forecasts_are_the_same_in_both(both: Both, version: str) -> None:
    (_, rest), (_, answer) = both.infer("forecast", version, "FP32", [2, 6], WINDOWS.tobytes())
    assert rest["model_version"] == answer.model_version == (version if version.isdigit() else "2")
    values = np.frombuffer(answer.raw_output_contents[0], "<f4")
    np.testing.assert_array_equal(np.array(rest["outputs"][0]["data"], np.float32), values)
    assert rest["outputs"][0]["shape"] == list(answer.outputs[0].shape) == [2, 2, 3]


@pytest.mark.parametrize(
    ("name", "version", "datatype", "shape", "data", "status", "reason"),
    [
        ("weather", "", "FP32", [2, 6], WINDOWS.tobytes(), 404, "no model at '/weather'"),
        ("forecast", "9", "FP32", [2, 6], WINDOWS.tobytes(), 404, "no model at '/forecast/9'"),
        ("forecast", "", "FP64", [1, 6], bytes(48), 400, "is Float32, not Float64"),
        ("forecast", "", "FP33", [1, 6], bytes(24), 400, "takes windows FP32 [-1, 6]"),
        ("forecast", "", "FP32", [2, 5], bytes(40), 400, "has the shape [-1, 6], not [2, 5]"),
        ("forecast", "", "FP32", [-1, 6], bytes(24), 400, "takes windows FP32 [-1, 6] (-1: any length)"),
        ("forecast", "", "FP32", [6], bytes(24), 400, "has the shape [-1, 6], not [6]"),
        ("forecast", "", "FP32", [0, 6], b"", 400, "is empty: its shape is [0, 6]"),
        (
            "forecast",
            "",
            "FP32",
            [2, 6],
            bytes(40),
            400,
            "needs 48 bytes and has 40; forecast/2 takes windows",
        ),
    ],
)
def test_both_protocols_reject_the_same_requests(
    both: Both,
    name: str,
    version: str,
    datatype: str,
    shape: list[int],
    data: bytes,
    status: int,
    reason: str,
) -> None:
    rest, answer = both.infer(name, version, datatype, shape, data)
    assert rest[0] == answer[0] == status
    assert reason in rest[1]["error"]
    assert reason in answer[1]


def test_both_protocols_carry_values_that_are_not_finite(both: Both) -> None:
    data = np.full((1, 6), np.nan, np.float32).tobytes()
    (status, rest), (_, answer) = both.infer("forecast", "", "FP32", [1, 6], data)
    assert status == 200
    assert rest["outputs"][0]["data"] == [None] * 6  # JSON has no NaN
    assert np.isnan(np.frombuffer(answer.raw_output_contents[0], "<f4")).all()
