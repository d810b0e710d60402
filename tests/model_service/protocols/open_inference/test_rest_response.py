"""The body of a REST response: JSON, and raw bytes after it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
import requests
from tritonclient.http import InferenceServerClient

from model_service.protocols.open_inference import rest_response
from model_service.protocols.open_inference.rest_request import read_request
from model_service.protocols.open_inference.rest_response import NotText, TooMuchJson, write_response
from tests.model_service.protocols.open_inference.rest_bodies import TENSOR, body
from tests.model_service.protocols.open_inference.rest_calls import PLAIN, windows


def test_values_that_are_not_finite_are_null_in_json_and_kept_as_bytes(url: str, shelf: Any) -> None:
    shelf.paths["/"].runtime.offset = np.float32("nan")
    answer = requests.post(f"{url}/v2/models/forecast/infer", json=PLAIN, timeout=10).json()
    assert answer["outputs"][0]["data"] == [None] * 12
    client = InferenceServerClient(url.removeprefix("http://"))
    assert np.isnan(client.infer("forecast", windows()).as_numpy("forecast")).all()
    client.close()


OUTPUTS = {
    "a": np.array([[1.0, np.nan]], np.float32),
    "b": np.array([7, 8], np.int64),
    "texts": np.array([b"x", "é".encode()], object),
}


def written(shelf: Any, *names: str, **request: Any) -> tuple[bytes, int | None]:
    return write_response(shelf.paths["/words"], read_request(body(TENSOR, **request), None), names, OUTPUTS)


def test_all_outputs_as_json_need_no_length(shelf: Any) -> None:
    content, json_bytes = written(shelf, "b", "a", "texts", id="7")
    assert json_bytes is None
    document = json.loads(content)
    assert (document["model_name"], document["model_version"], document["id"]) == ("words", "1", "7")
    assert document["outputs"] == [
        {"name": "b", "datatype": "INT64", "shape": [2], "data": [7, 8]},
        {"name": "a", "datatype": "FP32", "shape": [1, 2], "data": [1.0, None]},
        {"name": "texts", "datatype": "BYTES", "shape": [2], "data": ["x", "é"]},
    ]


def test_raw_outputs_follow_the_json_in_their_order(shelf: Any) -> None:
    content, json_bytes = written(shelf, "b", "a", parameters={"binary_data_output": True})
    assert json_bytes is not None
    outputs = json.loads(content[:json_bytes])["outputs"]
    assert [output["parameters"] for output in outputs] == [{"binary_data_size": 16}, {"binary_data_size": 8}]
    assert content[json_bytes:] == OUTPUTS["b"].tobytes() + OUTPUTS["a"].tobytes()


def test_a_text_that_is_not_utf_8_cannot_be_json(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OUTPUTS, "texts", np.array([b"\xff"], object))
    with pytest.raises(NotText, match="output 'texts' is not UTF-8 text; request it with binary_data"):
        written(shelf, "texts")


def test_only_values_as_json_are_limited(shelf: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest_response, "MAX_JSON_VALUES", 3)
    with pytest.raises(TooMuchJson, match="the response has 4 values as JSON; at most 3 are written"):
        written(shelf, "a", "b")
    mixed = [{"name": "a", "parameters": {"binary_data": True}}, {"name": "b"}]
    assert written(shelf, "a", "b", outputs=mixed)[1] is not None
