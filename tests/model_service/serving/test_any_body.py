"""Any body posted to any path gets a response or a reason of limited length, never the status 500."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model_service.protocols import graphpipe
from model_service.serving.metrics import Metrics
from model_service.serving.model import Model
from model_service.serving.request_error import MAX_REASON_CHARS
from model_service.serving.server import ModelServer

Post = Callable[..., tuple[int, dict[str, str], bytes]]


class FakeRepository:
    def __init__(self, *models: Model) -> None:
        self.paths = {"/": models[0], **{f"/{model.name}": model for model in models}}

    def refresh(self) -> tuple[Model, ...]:
        return ()


@pytest.fixture
def post(fake_runtime: Any) -> Post:
    """post(path, body, json_bytes) is (status, headers, body)."""

    async def call(
        path: str, body: bytes, json_bytes: str | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        model = Model("forecast", 1, fake_runtime(), "{}", {"window": 6, "horizon": 2})
        headers = [] if json_bytes is None else [(b"inference-header-content-length", json_bytes.encode())]
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
        async with asyncio.timeout(60):
            await ModelServer(FakeRepository(model), Metrics())(scope, receive, send)
            await model.close()
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], headers, b"".join(message.get("body", b"") for message in sent[1:])

    return lambda *arguments: asyncio.run(call(*arguments))


same_fixture = settings(
    max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
BODIES = st.binary(max_size=80) | st.sampled_from(
    [
        b'{"inputs": [{"name": "windows", "datatype": "FP32", "shape": [1, 6], "data": [1, 2, 3, 4, 5, 6]}]}',
        graphpipe.encode_request(graphpipe.InferRequest((np.ones((1, 6), np.float32),))),
        graphpipe.encode_request(graphpipe.MetadataRequest()),
    ]
)


@same_fixture
@given(st.text(max_size=30), BODIES)
def test_any_path_gets_a_response_or_a_reason(post: Post, path: str, body: bytes) -> None:
    for prefix in ("/", "/v2/", "/v2/models/", "/v2/models/forecast/"):
        status, headers, answer = post(prefix + path, body)
        assert status in (200, 400, 404, 405)
        if headers["content-type"] == "application/json" and status != 200:
            assert 0 < len(json.loads(answer)["error"]) <= MAX_REASON_CHARS + 1
        elif status != 200:
            (error,) = graphpipe.decode_infer_response(answer).errors
            assert 0 < len(error.message) <= MAX_REASON_CHARS + 1


SHAPES = st.lists(st.integers(-2, 7) | st.sampled_from([2**31, 2**62, 2**63]), max_size=4)
NAMES = st.sampled_from(["windows", "", "x" * 5000, "\x1b[2J"]) | st.text(max_size=3)


@same_fixture
@given(
    NAMES,
    st.sampled_from(["FP32", "FP64", "INT8", "BYTES", "BOOL", ""]),
    SHAPES,
    st.lists(
        st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(max_size=2), max_size=12
    ),
    st.none() | st.text(max_size=4),
)
def test_any_tensor_as_json_gets_a_response_or_a_reason(
    post: Post, name: str, datatype: str, shape: list[int], data: list[Any], json_bytes: str | None
) -> None:
    tensor = {"name": name, "datatype": datatype, "shape": shape, "data": data}
    body = json.dumps({"inputs": [tensor]}).encode()
    status, _, answer = post("/v2/models/forecast/infer", body, json_bytes)
    document = json.loads(answer)
    if status == 200:
        assert document["outputs"][0]["shape"] == [shape[0], 2, 3]
        assert len(document["outputs"][0]["data"]) == 6 * shape[0]
    else:
        assert status == 400
        assert 0 < len(document["error"]) <= MAX_REASON_CHARS + 1


@same_fixture
@given(st.binary(max_size=200), st.integers(0, 150), st.integers(0, 40))
def test_any_flatbuffer_gets_a_response_or_a_reason(post: Post, data: bytes, at: int, cut: int) -> None:
    """A valid message with one part replaced."""
    valid = graphpipe.encode_request(graphpipe.InferRequest((np.ones((1, 6), np.float32),), ("windows",)))
    body = valid[:at] + data[:cut] + valid[at + cut :]
    status, _, answer = post("/forecast", body)
    response = graphpipe.decode_infer_response(answer) if status != 200 else None
    assert status in (200, 400)
    assert response is None or 0 < len(response.errors[0].message) <= MAX_REASON_CHARS + 1
