"""Inputs of gRPC calls, and the forecast that they get."""

from __future__ import annotations

from typing import Any

import numpy as np
from tritonclient.grpc import service_pb2

WINDOWS = np.arange(12, dtype=np.float32).reshape(2, 6)


FORECAST = WINDOWS.mean(1)[:, None, None] + np.arange(2)[:, None] + np.arange(3)[None, :]


TEXTS = np.array([b"one", b"", "zwölf".encode()], object)


NUMBERS = np.array([1, -2, 3], np.int32)


def typed(name: str, datatype: str, shape: list[int], **contents: Any) -> Any:
    return service_pb2.ModelInferRequest.InferInputTensor(
        name=name, datatype=datatype, shape=shape, contents=service_pb2.InferTensorContents(**contents)
    )


RAW = service_pb2.ModelInferRequest.InferInputTensor(name="windows", datatype="FP32", shape=[2, 6])
