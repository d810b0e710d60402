"""Describes errors of JSON parsers (msgspec, orjson, Python) for users, in the same words."""

from __future__ import annotations

import re

MAX_CHARACTERS = 300
HALF = r"it holds half of a character, such as \ud800"
_KINDS = {
    "array": "an array",
    "object": "an object",
    "str": "a string",
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "null": "null",
}
_TEXTS = {
    "Input data was truncated": f"it ends too early, or {HALF}",
    "Input is a zero-length, empty document": "it is empty",
    "depth limit exceeded": "it is nested too deeply",
}
_WRONG_KIND = re.compile(r"Expected `(\w+)(?: \| null)?`, got `(\w+)`")
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_BYTE = re.compile(r"(.*) \(byte (\d+)\)")
_LINE = re.compile(r"(.*): line (\d+) column (\d+) \(char \d+\)")


def describe(error: BaseException) -> str:
    """Why bytes are not the JSON that is needed, as one line to follow "is not JSON: "."""
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start + 1} is not UTF-8"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    text = " ".join(str(error)[:MAX_CHARACTERS].split()).removeprefix("JSON is malformed: ")
    place = ""
    if found := _BYTE.fullmatch(text):
        text, place = found[1], f" at byte {int(found[2]) + 1}"
    elif found := _LINE.fullmatch(text):
        text, place = found[1], f" in line {found[2]}, column {found[3]}"
    if text in _TEXTS:
        return _TEXTS[text]
    if "not valid UTF-8" in text:
        return "it is not UTF-8"
    if "surrogate" in text or "hex escape" in text:
        return HALF + place
    if found := _MISSING.match(text):
        return f"its member {found[1]!r} is missing{text[found.end() :]}"
    if found := _WRONG_KIND.match(text):
        wanted, given = (_KINDS.get(kind, kind) for kind in found.groups())
        return f"it is {given}, not {wanted}{text[found.end() :]}"
    return text + place
