"""GraphPipe over HTTP: forecasts, metadata, and errors with a status and a message."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from model_service.protocols import graphpipe
from model_service.serving.model import Model
from model_service.serving.runtimes.runtime import Array, TensorSpec
from tests.model_service.asgi_service import (
    FORECAST,
    MODEL_DETAILS,
    WINDOWS,
    AsgiService,
    RefreshedRepository,
)


@pytest.mark.parametrize("path", ["/", "/forecast", "/forecast/", "/forecast/2"])
async def test_each_path_of_a_model_forecasts(service: AsgiService, path: str) -> None:
    answer = await service.infer(WINDOWS, path=path)
    assert answer.status == 200
    assert (answer.headers["model-name"], answer.headers["model-version"]) == ("forecast", "2")
    (forecast,) = graphpipe.decode_infer_response(answer.body).output_tensors
    np.testing.assert_allclose(forecast, FORECAST)


async def test_another_version_forecasts_at_its_path(service: AsgiService) -> None:
    answer = await service.infer(WINDOWS, path="/forecast/1")
    assert answer.headers["model-version"] == "1"
    np.testing.assert_allclose(graphpipe.decode_infer_response(answer.body).output_tensors[0], FORECAST + 100)


async def test_named_tensors_in_a_chunked_body_are_scored(service: AsgiService) -> None:
    body = graphpipe.encode_request(graphpipe.InferRequest((WINDOWS,), ("windows",), ("forecast",)))
    answer = await service.call("POST", "/", body[:10], body[10:90], body[90:])
    np.testing.assert_allclose(graphpipe.decode_infer_response(answer.body).output_tensors[0], FORECAST)


async def test_get_and_post_return_the_metadata(service: AsgiService) -> None:
    request = graphpipe.encode_request(graphpipe.MetadataRequest())
    answer = await service.call("POST", "/forecast/2", request)
    metadata = graphpipe.decode_metadata_response(answer.body)
    assert (metadata.name, metadata.version) == ("forecast", "2")
    assert json.loads(metadata.description) == MODEL_DETAILS
    assert metadata.inputs == (graphpipe.IOMetadata("windows", graphpipe.Type.Float32, (-1, 6)),)
    assert metadata.outputs == (graphpipe.IOMetadata("forecast", graphpipe.Type.Float32, (-1, 2, 3)),)
    page = json.loads((await service.call("GET", "/")).body)
    assert list(page) == ["Name", "Version", "Server", "Description", "Inputs", "Outputs"]
    assert page["Inputs"] == [{"Name": "windows", "Description": "", "Shape": [-1, 6], "Type": "Float32"}]
    assert page["Version"] == "2"
    assert (await service.call("HEAD", "/")).body == b""


@pytest.mark.parametrize(
    ("tensors", "names", "code", "reason"),
    [
        ([WINDOWS[:, :5]], {}, 422, r"input 'windows' of forecast/2 has the shape \[-1, 6\], not \[2, 5\]"),
        ([WINDOWS[0]], {}, 422, r"not \[6\]"),
        ([WINDOWS[None]], {}, 422, r"not \[1, 2, 6\]"),
        ([WINDOWS[:0]], {}, 422, "empty"),
        ([WINDOWS.astype(np.float64)], {}, 422, "is Float32, not Float64"),
        ([np.array([["a"] * 6])], {}, 422, "is Float32, not String"),
        ([], {}, 422, r"0 tensors and 0 names; forecast/2 takes windows Float32 \[-1, 6\]"),
        ([WINDOWS, WINDOWS], {}, 422, "2 tensors"),
        ([WINDOWS], {"input_names": ("a", "b")}, 422, "2 names"),
        ([WINDOWS], {"input_names": ("x",)}, 400, "has no input 'x'; it has windows"),
        ([WINDOWS], {"output_names": ("y",)}, 400, "has no output 'y'; it has forecast"),
    ],
)
async def test_an_error_has_a_status_and_an_infer_response(
    service: AsgiService, tensors: list[Array], names: Any, code: int, reason: str
) -> None:
    answer = await service.infer(*tensors, **names)
    assert answer.status == 400
    (error,) = answer.errors()
    assert error.code == code
    assert re.search(reason, error.message)


@pytest.mark.parametrize("body", [b"", b"junk", b"\0" * 1000, b"\xff" * 1000, b'{"instances": [1, 2]}'])
async def test_junk_gets_an_error(service: AsgiService, body: bytes) -> None:
    answer = await service.call("POST", "/", body)
    assert answer.status == 400
    assert answer.errors()[0].message.startswith("not a GraphPipe request: ")


async def test_json_for_a_graphpipe_path_gets_a_hint(service: AsgiService) -> None:
    for path in ("/", "/forecast", "/forecast/", "/forecast/2"):
        answer = await service.call("POST", path, b'{"instances": [1, 2]}')
        assert answer.status == 400
        assert "the body is JSON; inference is POST /v2/models/NAME/infer" in answer.errors()[0].message


async def test_a_tensor_cannot_have_a_negative_length(service: AsgiService) -> None:
    body = graphpipe.encode_request(graphpipe.InferRequest((WINDOWS[:1],)))
    at = body.index((6).to_bytes(8, "little")) - 8
    minus_one = body[:at] + (-1).to_bytes(8, "little", signed=True) + body[at + 8 :]
    answer = await service.call("POST", "/", minus_one)
    assert answer.status == 400
    assert answer.errors()[0].message == (
        "not a GraphPipe request: a tensor has the shape [-1, 6]; a length cannot be negative; "
        "forecast/2 takes windows Float32 [-1, 6] (-1: any length)"
    )


async def test_inputs_are_assigned_by_order_or_by_name() -> None:
    """A model without model.json: several inputs and outputs, and its requests are not merged."""

    class Foreign:
        kind = "fake"
        inputs = (TensorSpec("a", np.dtype("<i8"), (-1,)), TensorSpec("b", np.dtype("<i8"), (-1,)))
        outputs = (TensorSpec("difference", np.dtype("<i8"), ()), TensorSpec("sum", np.dtype("<i8"), ()))

        def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
            a, b = inputs["a"], inputs["b"]
            return {"difference": np.asarray(a.sum() - b.sum()), "sum": np.asarray(a.sum() + b.sum())}

    model = Model("foreign", 1, Foreign())
    shelf = RefreshedRepository()
    shelf.paths = {"/": model}
    service = AsgiService(shelf)
    a, b = np.array([5, 5]), np.array([1, 2, 3])

    async def results(*tensors: Array, **names: Any) -> list[int]:
        answer = await service.infer(*tensors, **names)
        return [int(value) for value in graphpipe.decode_infer_response(answer.body).output_tensors]

    for expected, got in await asyncio.gather(
        *(_with([4, 16], results(a, b)) for _ in range(3)),
        _with([4, 16], results(b, a, input_names=("b", "a"))),
        _with([16], results(a, b, output_names=("sum",))),
        _with([16, 4], results(a, b, output_names=("sum", "difference"))),
    ):
        assert got == expected
    answer = await service.infer(a, b, input_names=("a", "a"))
    assert "named twice" in answer.errors()[0].message
    await model.close()


async def _with(expected: list[int], got: Any) -> tuple[list[int], list[int]]:
    return expected, await got
