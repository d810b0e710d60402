"""The body of an error has the form of the application's own errors."""

from __future__ import annotations

import json

import pytest

from fncast.http.error_body import error_body


@pytest.mark.parametrize("path", ["/v2", "/v2/models/m/infer", "/invoke/01", "/t/fncast/forecast"])
def test_protocols_with_json_errors_get_json(path: str) -> None:
    content_type, body = error_body(path, 'no "token"')
    assert content_type == b"application/json"
    assert json.loads(body) == {"error": 'no "token"', "message": 'no "token"'}


@pytest.mark.parametrize("path", ["/", "/metrics", "/v2x", "/tt/x"])
def test_other_paths_get_a_line_of_text(path: str) -> None:
    assert error_body(path, "kein Zugang für dich") == (
        b"text/plain; charset=utf-8",
        "kein Zugang für dich\n".encode(),
    )
