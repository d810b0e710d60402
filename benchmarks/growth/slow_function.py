"""A slow function: it answers each batch of events after LATENCY_MS, for any number of concurrent calls.

`python -m benchmarks.growth.slow_function LATENCY_MS PORT`. It scores nothing, because only the consumer is measured.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import orjson

from benchmarks.lib.asgi import read_body, run_lifespan, send_response
from fncast.http.server import serve

LATENCY_S = float(sys.argv[1]) / 1000
BATCH_TYPE = b"application/cloudevents-batch+json"
FORECAST = {
    "start": "2026-01-05T00:00:00Z",
    "step_s": 300,
    "values": [1.0] * 12,
    "quantiles": {name: [1.0] * 12 for name in ("0.1", "0.5", "0.9")},
}


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await run_lifespan(receive, send)
        return
    body = await read_body(receive)
    answer = b"ok"  # for a health check
    if scope["method"] == "POST":
        await asyncio.sleep(LATENCY_S)
        answer = orjson.dumps([_forecast(event) for event in orjson.loads(body)])
    await send_response(send, answer, BATCH_TYPE)


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
