"""JSON with numbers that JSON does not have."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from interceptor.readings.lenient_json import decode

anything = msgspec.json.Decoder()
numbers = msgspec.json.Decoder(dict[str, float | None])


@pytest.mark.parametrize("raw", [b"NaN", b"-Infinity", b"1e999", b"9" * 5000])
def test_nan_and_infinity_become_null_for_a_typed_decoder(raw: bytes) -> None:
    assert decode(numbers, b'{"a":1.5,"b":%b}' % raw) == {"a": 1.5, "b": None}


def test_nan_and_infinity_stay_for_an_untyped_decoder() -> None:
    assert decode(anything, b'{"a":Infinity,"b":"NaN"}') == {"a": float("inf"), "b": "NaN"}


def test_large_integers_stay_integers_while_they_fit() -> None:
    assert decode(anything, b"[NaN, 123456789012345678]")[1] == 123_456_789_012_345_678


@pytest.mark.parametrize("value", [b'{"a":NaN', b'{"a":NaN,"b":"\xff"}', b"NaN" + b"[" * 100_000])
@pytest.mark.parametrize("decoder", [anything, numbers])
def test_other_mistakes_keep_the_error_of_the_decoder(decoder: Any, value: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(decoder, value)
