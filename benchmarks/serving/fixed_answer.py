"""The plain HTTP round trip: fncast's server with an application that reads a request and answers N bytes.

`python -m benchmarks.serving.fixed_answer PORT`; POST /N.
"""

from __future__ import annotations

import sys
from typing import Any

from fncast.http.server import serve


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        for kind in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{kind}.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    size = scope["path"].lstrip("/")
    body = bytes(int(size) if size.isdecimal() else 0)  # any other path is a health check
    headers = [(b"content-type", b"application/octet-stream"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    sys.exit(serve(app, "127.0.0.1", int(sys.argv[1]), "fixed answers at {url}"))
