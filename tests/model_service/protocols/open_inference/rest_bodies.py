"""Bodies of REST requests with tensors as JSON or as raw bytes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from model_service.protocols.open_inference.tensor import DTYPES, datatype_of, to_bytes

DEEP = "deeper than repr goes"


TENSOR = {"name": "x", "datatype": "FP32", "shape": [2, 2], "data": [1, 2.5, 3, 4]}


NUMERIC = sorted(set(DTYPES) - {"BYTES"})


def body(*inputs: Any, **members: Any) -> bytes:
    document = json.dumps({"inputs": list(inputs), **members})
    return document.replace(f'"{DEEP}"', "[" * 1000 + "]" * 1000).encode()


def raw(name: str, array: np.ndarray) -> dict[str, Any]:
    return {
        "name": name,
        "datatype": datatype_of(array.dtype),
        "shape": list(array.shape),
        "parameters": {"binary_data_size": len(to_bytes(array))},
    }
