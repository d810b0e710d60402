"""Clients that are not ours: requests of the flatbuffers library and of the PyPI client."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
import requests
from flatbuffers import encode, packer
from flatbuffers.table import Table

pytestmark = pytest.mark.integration

WINDOWS = np.arange(12, dtype=np.float32).reshape(2, 6)
FORECAST = WINDOWS.mean(1)[:, None, None] + np.arange(2)[:, None] + np.arange(3)[None, :]
Start = Callable[..., Any]  # of conftest.py


def foreign_request(values: np.ndarray) -> bytes:
    """An inference request built from the schema with the flatbuffers library only, in another field order."""
    builder = flatbuffers.Builder(0)
    name = builder.CreateString("windows")
    builder.StartVector(8, values.ndim, 8)
    for length in reversed(values.shape):
        builder.PrependInt64(length)
    shape = builder.EndVector()
    data = builder.CreateByteVector(values.astype("<f4").tobytes())
    builder.StartObject(4)
    builder.PrependUOffsetTRelativeSlot(2, data, 0)
    builder.PrependUOffsetTRelativeSlot(1, shape, 0)
    builder.PrependUint8Slot(0, 10, 0)
    tensor = builder.EndObject()
    vectors = []
    for item in (name, tensor):
        builder.StartVector(4, 1, 4)
        builder.PrependUOffsetTRelative(item)
        vectors.append(builder.EndVector())
    builder.StartObject(4)
    builder.PrependUOffsetTRelativeSlot(1, vectors[0], 0)
    builder.PrependUOffsetTRelativeSlot(2, vectors[1], 0)
    infer = builder.EndObject()
    builder.StartObject(2)
    builder.PrependUOffsetTRelativeSlot(1, infer, 0)
    builder.PrependUint8Slot(0, 1, 0)
    builder.Finish(builder.EndObject())
    return bytes(builder.Output())


def foreign_answer(body: bytes) -> np.ndarray:
    """The first output of an InferResponse, read by the flatbuffers library."""
    response = Table(bytearray(body), encode.Get(packer.uoffset, body, 0))
    tensors = response.Offset(4)
    tensor = Table(response.Bytes, response.Indirect(response.Vector(tensors)))
    assert tensor.Get(flatbuffers.number_types.Uint8Flags, tensor.Pos + tensor.Offset(4)) == 10

    def vector(slot: int, dtype: str) -> np.ndarray:
        offset = tensor.Offset(slot)
        count = tensor.VectorLen(offset)
        return np.frombuffer(body, dtype, count // (1 if dtype == "<i8" else 4), tensor.Vector(offset))

    return vector(8, "<f4").reshape(vector(6, "<i8"))


def test_a_client_of_the_flatbuffers_library_is_answered(start: Start, place: Any, models: Path) -> None:
    place("ours", 1)
    service = start("--models", models)
    answer = requests.post(service.url, data=foreign_request(WINDOWS), timeout=10)
    assert answer.status_code == 200
    np.testing.assert_allclose(foreign_answer(answer.content), FORECAST, rtol=1e-6)
    assert requests.post(service.url, data=b"junk", timeout=10).status_code == 400
    assert requests.get(f"{service.url}/control/is_ready", timeout=10).text == "ok\n"


@pytest.mark.skipif(
    importlib.util.find_spec("graphpipe") is None,
    reason="the PyPI client graphpipe 1.0.4 is not installed (Python 3.11: pip install --no-deps graphpipe)",
)
def test_the_public_python_client_is_answered(start: Start, place: Any, models: Path) -> None:
    from graphpipe import remote

    place("ours", 1)
    service = start("--models", models)
    np.testing.assert_allclose(remote.execute(service.url, WINDOWS), FORECAST, rtol=1e-6)
    np.testing.assert_allclose(
        remote.execute(service.url, WINDOWS, "windows", "forecast"), FORECAST, rtol=1e-6
    )
    with pytest.raises(requests.HTTPError, match="400"):
        remote.execute(service.url, WINDOWS[:, :3])
    assert remote.metadata(service.url).Name() == b"forecast"
    assert remote.get_input_shapes(service.url) == [[None, 6]]
