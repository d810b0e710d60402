"""The body of an error that a middleware answers: JSON where the application's own errors are JSON."""

from __future__ import annotations

import orjson

_JSON_PATHS = ("/v2/", "/invoke/", "/t/")


def error_body(path: str, text: str) -> tuple[bytes, bytes]:
    """The content type and the body for a sentence.

    `error` is the member of the Open Inference Protocol, `message` that of Fn.
    """
    if path.startswith(_JSON_PATHS) or path == "/v2":
        return b"application/json", orjson.dumps({"error": text, "message": text})
    return b"text/plain; charset=utf-8", f"{text}\n".encode()
