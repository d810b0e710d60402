"""Errors of JSON parsers, in plain words."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson
import pytest

from fncast.wording.json import describe

OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
HALF = r"it holds half of a character, such as \ud800"


def problem(read: Any, value: bytes) -> str:
    with pytest.raises((ValueError, msgspec.MsgspecError, RecursionError)) as error:
        read(value.decode() if read is not orjson.loads else value)
    return describe(error.value)


@pytest.mark.parametrize(
    ("value", "by_orjson", "by_msgspec"),
    [
        (b"", "it is empty", f"it ends too early, or {HALF}"),
        (b'{"a":"\\ud800"}', f"{HALF} in line 1, column 7", f"it ends too early, or {HALF}"),
        (b'{"a":"\\udc00"}', f"{HALF} in line 1, column 7", f"{HALF} at byte 13"),
        (
            b'{"a":NaN}',
            "unexpected character, expected a JSON value in line 1, column 6",
            "invalid character at byte 6",
        ),
        (b"[" * 5000, "it is nested too deeply", "it is an array, not an object"),
        (b'{"a":' + b"[" * 5000, "it is nested too deeply", "it is nested too deeply"),
    ],
)
def test_both_parsers_speak_the_same_words(value: bytes, by_orjson: str, by_msgspec: str) -> None:
    assert problem(orjson.loads, value) == by_orjson
    assert problem(OBJECT.decode, value) == by_msgspec


@pytest.mark.parametrize(
    ("value", "kind"), [(b"[]", "an array"), (b'"x"', "a string"), (b"5", "a number"), (b"null", "null")]
)
def test_another_kind_of_value_is_named(value: bytes, kind: str) -> None:
    assert problem(OBJECT.decode, value) == f"it is {kind}, not an object"


def test_bytes_that_are_not_text_are_named() -> None:
    assert problem(orjson.loads, b"\xff\x00") == "it is not UTF-8"
    with pytest.raises(UnicodeDecodeError) as error:
        b"ab\xff".decode()
    assert describe(error.value) == "byte 3 is not UTF-8"
