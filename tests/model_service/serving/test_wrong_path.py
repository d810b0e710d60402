"""Paths that no protocol of the server uses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from model_service.serving.wrong_path import inference_hint, wrong_path
from tests.model_service.asgi_service import (
    AsgiService,
)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/models/forecast:predict", b'{"instances": [[1, 2]]}'),  # TensorFlow Serving
        ("/v1/models/forecast/versions/2:predict", b"{}"),
        ("/v1/models/forecast:predict", b"x"),
        ("/forecast:predict", b""),
        ("/invocations", b'{"inputs": []}'),  # MLflow, SageMaker
        ("/predictions/forecast", b"[1, 2]"),  # TorchServe
        ("/forecast/infer", b"x"),
        ("/forecast/2/infer", b"x"),
        ("/forecast/latest", b"x"),
        ("/v2x/models/forecast/infer", b"{}"),
        ("//forecast", b"x"),
        ("/" + "x" * 100_000 + "!", b"x"),
    ],
)
async def test_a_path_of_another_protocol_gets_a_json_hint(
    service: AsgiService, path: str, body: bytes
) -> None:
    posted = await service.call("POST", path, body)
    assert (posted.status, posted.headers["content-type"]) == (404, "application/json")
    error = json.loads(posted.body)["error"]
    assert "inference is POST /v2/models/NAME/infer" in error
    assert "for example /v2/models/forecast/infer" in error
    assert len(error) <= 600
    got = await service.call("GET", path)
    assert (got.status, got.headers["content-type"]) == (404, "application/json")
    assert json.loads(got.body)["error"]


def test_a_long_path_is_cut(shelf: Any) -> None:
    error = wrong_path(shelf, "/" + "x" * 100_000)
    assert error.status == 404
    assert len(str(error)) < 400


def test_without_a_model_the_hint_has_no_example(shelf: Any) -> None:
    assert inference_hint(shelf).endswith("for example /v2/models/forecast/infer")
    shelf.paths = {}
    assert "for example" not in inference_hint(shelf)
