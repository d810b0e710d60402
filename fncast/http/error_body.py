"""The body of a middleware's error response: JSON on paths where the application's own errors are JSON."""

from __future__ import annotations

import orjson

_JSON_PATHS = ("/v2/", "/invoke/", "/t/")


def error_body(path: str, text: str) -> tuple[bytes, bytes]:
    """The content type and the body of an error response. path: of the request. text: what is wrong.

    JSON has two members: `error`, as in the Open Inference Protocol, and `message`, as in Fn.
    """
    if path.startswith(_JSON_PATHS) or path == "/v2":
        return b"application/json", orjson.dumps({"error": text, "message": text})
    return b"text/plain; charset=utf-8", f"{text}\n".encode()
