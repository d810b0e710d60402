"""The parts of a request: headers in two encodings, and URLs as the caller sees them."""

from __future__ import annotations

import pytest

from functions.host.request import base_url, declares_json, decode_headers, full_url

SCOPE = {
    "server": ("127.0.0.1", 8080),
    "scheme": "http",
    "raw_path": b"/t/app/a%0Ab",
    "query_string": b"x=1",
}


def test_a_value_is_utf_8_or_else_latin_1() -> None:
    raw = [(b"a", "grün".encode()), (b"b", "grün".encode("latin-1"))]
    assert decode_headers(raw) == [("a", "grün"), ("b", "grün")]


def test_a_url_has_the_host_that_the_caller_named() -> None:
    assert base_url(SCOPE, [("host", "fn.example")]) == "http://fn.example"
    assert base_url(SCOPE, []) == "http://127.0.0.1:8080"


def test_a_url_keeps_the_encoding_of_its_path() -> None:
    assert full_url(SCOPE, [("host", "h")]) == "http://h/t/app/a%0Ab?x=1"


@pytest.mark.parametrize(
    ("types", "is_json"),
    [
        (["application/json"], True),
        (["application/JSON; charset=utf-8"], True),
        (["text/plain"], False),
        ([], False),
        (["application/json", "text/plain"], False),
    ],
)
def test_a_body_is_declared_as_json_once(types: list[str], is_json: bool) -> None:
    assert declares_json([("content-type", each) for each in types]) is is_json
