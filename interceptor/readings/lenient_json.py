"""Reads JSON with numbers that JSON does not have: NaN and Infinity, as Python writes them, and numbers like 1e999.

One such value must not cost the other readings of its record. Only a record that the strict parser rejects comes here.
"""

from __future__ import annotations

import json
from typing import Any, TypeVar, cast

import msgspec

_T = TypeVar("_T")
_INTEGER_CHARACTERS = 19  # a longer one may not fit into 64 bits
_encode = msgspec.json.Encoder().encode  # writes null for NaN and infinities


def parse(value: bytes) -> Any:
    """Return the document. Raises ValueError or RecursionError if anything but such numbers is not JSON."""
    return json.loads(value.decode(), parse_int=_integer)


def decode(decoder: msgspec.json.Decoder[_T], value: bytes | msgspec.Raw) -> _T:
    """Decode JSON that may have such numbers. A typed decoder gets null for them; a decoder without a type keeps them.

    Raises the decoder's error if the value has no such numbers, or has other mistakes.
    """
    try:
        return decoder.decode(value)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raw = bytes(value)
        if b"NaN" not in raw and b"Infinity" not in raw and "out of range" not in str(error):
            raise
        try:
            document = parse(raw)
            if decoder.type is Any:
                return cast(_T, document)
            standard = _encode(document)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise error from None
        return decoder.decode(standard)


def _integer(text: str) -> int | float:
    return int(text) if len(text) < _INTEGER_CHARACTERS else float(text)
