"""The request of each model server for a number of windows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import orjson

from benchmarks.lib.load import WINDOW
from benchmarks.serving.http_load import Request
from fncast.demo.models import NAME
from model_service.protocols import graphpipe
from model_service.protocols.open_inference import messages_pb2

JSON = {"Content-Type": "application/json"}
BINARY = {"Content-Type": "application/octet-stream"}
ANSWER_BYTES_A_WINDOW = 144  # float32 [12, 3]


def _windows(count: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.random.default_rng(0).normal(size=(count, WINDOW)).round(2).astype(np.float32)


def _rounded(count: int) -> list[list[float]]:
    """Return windows for JSON, rounded to the two digits of the readings."""
    rounded: list[list[float]] = np.round(_windows(count).astype(np.float64), 2).tolist()
    return rounded


def graphpipe_request(count: int) -> Request:
    message = graphpipe.InferRequest(input_tensors=(_windows(count),))
    return Request(f"/{NAME}", graphpipe.encode_request(message), BINARY)


def protocol_json_request(count: int) -> Request:
    tensor = {"name": "windows", "shape": [count, WINDOW], "datatype": "FP32"}
    values = [value for window in _rounded(count) for value in window]
    body = orjson.dumps({"inputs": [{**tensor, "data": values}]})
    return Request(f"/v2/models/{NAME}/infer", body, JSON)


def protocol_binary_request(count: int) -> Request:
    """Build a request of Triton's binary tensor extension: a JSON header, then the bytes of the tensor.

    The response has the same form.
    """
    raw = _windows(count).tobytes()
    tensor = {"name": "windows", "shape": [count, WINDOW], "datatype": "FP32"}
    inputs = [{**tensor, "parameters": {"binary_data_size": len(raw)}}]
    header = orjson.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}})
    lengths = {**BINARY, "Inference-Header-Content-Length": str(len(header))}
    return Request(f"/v2/models/{NAME}/infer", header + raw, lengths)


def protocol_grpc_request(count: int) -> Request:
    message = messages_pb2.ModelInferRequest(model_name=NAME, raw_input_contents=[_windows(count).tobytes()])
    message.inputs.add(name="windows", datatype="FP32", shape=[count, WINDOW])
    body = message.SerializeToString()
    return Request("/inference.GRPCInferenceService/ModelInfer", body, is_grpc=True)


def named_request(path: str, name: str) -> Callable[[int], Request]:
    """Return a builder of requests of the form `{name: [window, …]}` in JSON."""
    return lambda count: Request(path, orjson.dumps({name: _rounded(count)}), JSON)


def fixed_request(count: int) -> Request:
    """Build a request that asks for a fixed answer. Both are as long as GraphPipe's."""
    return Request(f"/{ANSWER_BYTES_A_WINDOW * count}", graphpipe_request(count).body, BINARY)
