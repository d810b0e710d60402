"""A client for each protocol (that of fncast's function if there is one), and a loop of calls."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import grpc
import numpy as np
import orjson

from benchmarks.serving.protocol_service import WINDOW
from model_service.client import connect_graphpipe, connect_inference_protocol
from model_service.client.http_connection import HttpConnection
from model_service.protocols.open_inference import messages_pb2

WARM_UP_CALLS = 30


class JsonClient:
    """REST without the binary extension: numbers as JSON, as curl or a browser sends them."""

    def __init__(self, url: str) -> None:
        self._connection = HttpConnection(url, 10.0, "")

    def infer(self, windows: Any) -> Any:
        tensor = {
            "name": "windows",
            "datatype": "FP32",
            "shape": windows.shape,
            "data": windows.ravel(),
        }
        body = orjson.dumps({"inputs": [tensor]}, option=orjson.OPT_SERIALIZE_NUMPY)
        headers = b"Content-Type: application/json\r\n"
        reply = self._connection.post("/v2/models/forecast/infer", headers, body)
        output = orjson.loads(reply.body)["outputs"][0]
        return np.array(output["data"], np.float32).reshape(output["shape"])

    def close(self) -> None:
        self._connection.close()


class TypedClient:
    """gRPC with protobuf's repeated floats instead of raw bytes."""

    def __init__(self, url: str) -> None:
        self._channel = grpc.insecure_channel(urlsplit(url).netloc)
        self._call = self._channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")

    def infer(self, windows: Any) -> Any:
        request = messages_pb2.ModelInferRequest(model_name="forecast")
        tensor = request.inputs.add(name="windows", datatype="FP32", shape=windows.shape)
        tensor.contents.fp32_contents.extend(windows.ravel().tolist())
        answer = messages_pb2.ModelInferResponse.FromString(self._call(request.SerializeToString()))
        output = answer.outputs[0]
        return np.array(output.contents.fp32_contents, np.float32).reshape(tuple(output.shape))

    def close(self) -> None:
        self._channel.close()


# By protocol: connects a client to the HTTP or the gRPC URL of the service.
CLIENTS: dict[str, Callable[[str, str], Any]] = {
    "flatbuffers (GraphPipe)": lambda http_url, _: connect_graphpipe(http_url),
    "protobuf (gRPC, raw tensors)": lambda _, grpc_url: connect_inference_protocol(grpc_url),
    "protobuf (gRPC, typed contents)": lambda _, grpc_url: TypedClient(grpc_url),
    "REST, binary tensors": lambda http_url, _: connect_inference_protocol(http_url),
    "REST, JSON": lambda http_url, _: JsonClient(http_url),
}


@dataclass(frozen=True)
class Calls:
    """The calls of one caller: their times, and the caller's CPU time."""

    times_s: list[float]
    cpu_s: float


def call(protocol: str, http_url: str, grpc_url: str, size: int, seconds: float) -> Calls:
    """Call for `seconds`, one call after the other, over one connection. size: windows a call."""
    client = CLIENTS[protocol](http_url, grpc_url)
    windows = np.random.default_rng(1).normal(size=(size, WINDOW)).astype(np.float32)
    for _ in range(WARM_UP_CALLS):
        client.infer(windows)
    times_s = []
    before_s, end_s = time.process_time(), time.perf_counter() + seconds
    while (began_s := time.perf_counter()) < end_s:
        client.infer(windows)
        times_s.append(time.perf_counter() - began_s)
    cpu_s = time.process_time() - before_s
    client.close()
    return Calls(times_s, cpu_s)
