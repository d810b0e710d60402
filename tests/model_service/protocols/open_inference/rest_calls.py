"""Inputs of REST calls, and the forecast that they get."""

from __future__ import annotations

import numpy as np
from tritonclient.http import InferInput

WINDOWS = np.arange(12, dtype=np.float32).reshape(2, 6)


FORECAST = WINDOWS.mean(1)[:, None, None] + np.arange(2)[:, None] + np.arange(3)[None, :]


def tensor(name: str, array: np.ndarray, datatype: str, binary: bool = True) -> InferInput:
    created = InferInput(name, list(array.shape), datatype)
    created.set_data_from_numpy(array, binary_data=binary)
    return created


def windows(binary: bool = True, array: np.ndarray = WINDOWS) -> list[InferInput]:
    return [tensor("windows", array, "FP32", binary)]


PLAIN = {
    "id": "1",
    "inputs": [{"name": "windows", "datatype": "FP32", "shape": [2, 6], "data": WINDOWS.tolist()}],
}
