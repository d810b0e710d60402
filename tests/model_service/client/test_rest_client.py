"""The REST client against servers of others: how they may answer, and what their errors mean."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from model_service.client.interface import InvalidShape, ModelError, ModelUnavailable
from model_service.client.rest_client import JSON_BYTES, RestClient
from tests.model_service.client.fake_server import FORECAST, WINDOWS, FakeServer, Reply

METADATA = {"name": "forecast", "inputs": [{"name": "windows", "datatype": "FP32", "shape": [-1, 3]}]}
Answer = Callable[[Reply], None]


@pytest.fixture
def rest(server: FakeServer) -> Iterator[RestClient]:
    client = RestClient(server.url + "/weather/7", timeout_s=20)
    yield client
    client.close()


@pytest.fixture
def answer(server: FakeServer) -> Answer:
    """answer(reply): the reply to an inference. Metadata are always there."""

    def set_reply(reply: Reply) -> None:
        server.reply = lambda body: reply if body else (200, {}, json.dumps(METADATA).encode())

    return set_reply


def output(data: object, **members: object) -> bytes:
    tensor = {"name": "forecast", "datatype": "FP32", "shape": FORECAST.shape, "data": data}
    return json.dumps({"outputs": [tensor], **members}).encode()


def test_a_server_without_the_binary_extension_answers_in_json(
    server: FakeServer, rest: RestClient, answer: Answer
) -> None:
    answer((200, {}, output(FORECAST.tolist(), model_name="weather", model_version="7")))
    found = rest.infer(WINDOWS)
    np.testing.assert_array_equal(found.outputs, FORECAST)
    assert (found.model_name, found.model_version) == ("weather", "7")
    assert server.paths == ["/v2/models/weather/versions/7", "/v2/models/weather/versions/7/infer"]


def test_null_in_json_is_not_a_number(rest: RestClient, answer: Answer) -> None:
    answer((200, {}, output([None, *FORECAST.ravel().tolist()[1:]])))
    found = rest.infer(WINDOWS)
    assert np.isnan(found.outputs[0, 0, 0])
    assert found.model_name is None


def test_the_request_has_the_windows_as_raw_bytes_after_its_json(
    server: FakeServer, rest: RestClient
) -> None:
    bodies: list[bytes] = []

    def reply(body: bytes) -> Reply:
        bodies.append(body)
        return 200, {}, output(FORECAST.tolist()) if body else json.dumps(METADATA).encode()

    server.reply = reply
    rest.infer(WINDOWS)
    raw = WINDOWS.tobytes()
    assert bodies[1].endswith(raw)
    request = json.loads(bodies[1].removesuffix(raw))
    assert request["inputs"][0]["parameters"] == {"binary_data_size": len(raw)}
    assert request["inputs"][0]["name"] == "windows"


@pytest.mark.parametrize(
    ("status", "error", "kind"),
    [
        (400, "unexpected shape for input 'windows'", InvalidShape),
        (400, "unknown output", ModelError),
        (413, "too large", ModelError),
        (415, "unknown encoding", ModelError),
        (422, "cannot be read", ModelError),
        (404, "no such model", ModelUnavailable),
        (500, "kernel panic", ModelUnavailable),
        (503, "loading", ModelUnavailable),
    ],
)
def test_a_status_says_whether_a_retry_helps(
    rest: RestClient, answer: Answer, status: int, error: str, kind: type[Exception]
) -> None:
    answer((status, {"Retry-After": "3"}, json.dumps({"error": error}).encode()))
    with pytest.raises(kind, match=error) as raised:
        rest.infer(WINDOWS)
    assert type(raised.value) is kind
    if isinstance(raised.value, ModelUnavailable):
        assert raised.value.retry_after_s == 3.0


def test_the_page_of_a_proxy_is_quoted_on_one_line(rest: RestClient, answer: Answer) -> None:
    answer((502, {}, b"<html>\r\nbad\x1b[2J gateway</html>"))
    with pytest.raises(ModelUnavailable, match="answered 502: <html> bad") as raised:
        rest.infer(WINDOWS)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b"<html>"),
        ({}, b"[]"),
        ({}, b'{"outputs": [{}]}'),
        ({}, output([1, 2])),
        ({}, output(["x"] * 12)),
        ({JSON_BYTES: "10000"}, output(FORECAST.tolist())),
        ({JSON_BYTES: "many"}, output(FORECAST.tolist())),
    ],
)
def test_another_body_is_not_an_inference_response(
    rest: RestClient, answer: Answer, headers: dict[str, str], body: bytes
) -> None:
    answer((200, headers, body))
    with pytest.raises(ModelUnavailable, match="did not return an inference response"):
        rest.infer(WINDOWS)


@pytest.mark.parametrize(
    "document", [{}, [], {"name": "x", "inputs": []}, {"name": "x", "inputs": [{"name": "y"}]}]
)
def test_another_document_is_not_metadata(server: FakeServer, rest: RestClient, document: Any) -> None:
    server.reply = lambda body: (200, {}, json.dumps(document).encode())
    with pytest.raises(ModelUnavailable, match="did not return metadata of a model"):
        rest.metadata()
