"""HTTP responses over ASGI: headers, and the bodies of errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from model_service.serving.http_response import (
    BINARY,
    JSON,
    error_headers,
    error_json,
    model_headers,
    send_response,
)


async def test_a_response_has_its_status_headers_and_length() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await send_response(send, 201, [JSON, (b"x", b"1")], b"abc")
    assert sent == [
        {
            "type": "http.response.start",
            "status": 201,
            "headers": [JSON, (b"x", b"1"), (b"content-length", b"3")],
        },
        {"type": "http.response.body", "body": b"abc"},
    ]


def test_an_error_in_json_is_that_of_the_protocol() -> None:
    assert json.loads(error_json(ValueError('no "x"'))) == {"error": 'no "x"'}


def test_a_response_names_its_model(shelf: Any) -> None:
    assert dict(model_headers(shelf.paths["/forecast/1"])) == {
        b"model-name": b"forecast",
        b"model-version": b"1",
    }


@pytest.mark.parametrize(
    ("status", "more"),
    [(400, {}), (404, {}), (503, {b"retry-after": b"1"}), (408, {b"connection": b"close"})],
)
def test_an_overload_says_when_to_retry_and_half_a_request_ends_its_connection(
    status: int, more: dict[bytes, bytes]
) -> None:
    assert dict(error_headers(status, BINARY)) == {BINARY[0]: BINARY[1], **more}
