"""A server that only reads a request and answers N bytes: the least that fncast's HTTP server costs.

`python -m benchmarks.serving.fixed_answer PORT`, then POST /N.
"""

from __future__ import annotations

import sys
from typing import Any

from benchmarks.lib.asgi import run_lifespan, send_response
from fncast.http.server import serve


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await run_lifespan(receive, send)
        return
    while (await receive()).get("more_body"):
        pass
    size = scope["path"].lstrip("/")
    body = bytes(int(size) if size.isdecimal() else 0)  # any other path is a health check
    await send_response(send, body, b"application/octet-stream")


if __name__ == "__main__":
    sys.exit(serve(app, "127.0.0.1", int(sys.argv[1]), "fixed answers at {url}"))
