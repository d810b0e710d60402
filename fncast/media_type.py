"""Compares content types. Every package may import it."""

from __future__ import annotations

import re

TENSOR = "application/x-graphpipe"  # a GraphPipe message
_JSON_TYPE = re.compile(r"[^/;]+/(?:[^;]*\+)?json\s*(?:;|$)", re.IGNORECASE)
_PARAMETER = re.compile(r';\s*([^\s=;"]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;"]*)')
_UTF_8 = frozenset({("charset", "utf-8"), ("charset", "utf8")})


def is_json(content_type: str) -> bool:
    """Whether the content type declares JSON, for example `application/json` or `application/geo+json`."""
    return content_type == "application/json" or bool(_JSON_TYPE.match(content_type))


def is_tensor(content_type: object) -> bool:
    """Whether a content type, or the value of `accept`, names a GraphPipe message."""
    return type(content_type) is str and content_type.partition(";")[0].strip().lower() == TENSOR


def are_same(first: str, other: str) -> bool:
    """Whether two content types mean the same (RFC 9110, section 8.3.1).

    Letter case, spaces, quotes and the order of parameters do not matter. For JSON, `charset=utf-8` means the same as
    no charset: JSON is always UTF-8 (RFC 8259).
    """
    return _normalized(first) == _normalized(other)


def _normalized(content_type: str) -> tuple[str, frozenset[tuple[str, str]]]:
    """The media type and its parameters."""
    kind, _, rest = content_type.lower().partition(";")
    parameters = {(name, _unquoted(value)) for name, value in _PARAMETER.findall(f";{rest}")}
    if is_json(kind):
        parameters -= _UTF_8
    return "".join(kind.split()), frozenset(parameters)


def _unquoted(value: str) -> str:
    value = value.strip()
    return value[1:-1].replace("\\", "") if value[:1] == '"' and value[-1:] == '"' else value
