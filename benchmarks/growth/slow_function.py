"""A slow function: it answers each batch of events after LATENCY_MS, for any number of concurrent calls.

`python -m benchmarks.growth.slow_function LATENCY_MS PORT`. It does not score: it serves to measure the consumer.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import orjson

from fncast.http.server import serve

LATENCY_S = float(sys.argv[1]) / 1000
HEADERS = [(b"content-type", b"application/cloudevents-batch+json")]
FORECAST = {
    "start": "2026-01-05T00:00:00Z",
    "step_s": 300,
    "values": [1.0] * 12,
    "quantiles": {name: [1.0] * 12 for name in ("0.1", "0.5", "0.9")},
}


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        for kind in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{kind}.complete"})
        return
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    answer = b"ok"
    if scope["method"] == "POST":
        await asyncio.sleep(LATENCY_S)
        answer = orjson.dumps([_forecast(event) for event in orjson.loads(body)])
    length = (b"content-length", b"%d" % len(answer))
    await send({"type": "http.response.start", "status": 200, "headers": [*HEADERS, length]})
    await send({"type": "http.response.body", "body": answer})


def _forecast(event: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"slow-{event['id']}",
        "source": "slow",
        "type": "io.fncast.forecast.v1",
        "causationid": event["id"],
        "causationsource": event["source"],
        "datacontenttype": "application/json",
        "data": FORECAST,
    }


if __name__ == "__main__":
    sys.exit(serve(app, "127.0.0.1", int(sys.argv[2]), "a slow function at {url}"))
