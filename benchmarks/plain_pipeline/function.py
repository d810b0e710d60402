"""Takes one CloudEvent in binary mode, asks the model service over JSON, answers one forecast CloudEvent."""

from __future__ import annotations

import math
import sys
import uuid
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import aiohttp
import orjson
from aiohttp import web

WINDOW = 48


def app(model_url: str) -> web.Application:
    made = web.Application()
    client = web.AppKey("client", aiohttp.ClientSession)

    async def session(app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as app[client]:
            yield

    async def forecast(request: web.Request) -> web.Response:
        data = orjson.loads(await request.read())
        values = data["values"][-WINDOW:]
        if len(values) < WINDOW or not all(
            isinstance(value, int | float) and math.isfinite(value) for value in values
        ):
            return web.Response(status=422, text="bad window")
        last = values[-1]
        body = orjson.dumps({"instances": [[value - last for value in values]]})
        async with request.app[client].post(f"{model_url}/predict", data=body) as answer:
            answer.raise_for_status()
            steps = orjson.loads(await answer.read())["predictions"][0]
        low, middle, high = ([last + step[i] for step in steps] for i in range(3))
        start = datetime.fromisoformat(data["start"]) + timedelta(
            seconds=data["step_s"] * len(data["values"])
        )
        forecast = {
            "start": start.isoformat().replace("+00:00", "Z"),
            "step_s": data["step_s"],
            "values": middle,
            "quantiles": {"0.1": low, "0.5": middle, "0.9": high},
            "unit": data.get("unit"),
        }
        headers = {
            "ce-specversion": "1.0",
            "ce-id": str(uuid.uuid4()),
            "ce-source": "plain/forecast",
            "ce-type": "io.fncast.forecast.v1",
            "ce-subject": request.headers["ce-subject"],
            "ce-causationid": request.headers["ce-id"],
            "ce-causationsource": request.headers["ce-source"],
        }
        return web.Response(body=orjson.dumps(forecast), content_type="application/json", headers=headers)

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    made.cleanup_ctx.append(session)
    made.add_routes([web.post("/", forecast), web.get("/healthz", healthz)])
    return made


if __name__ == "__main__":
    web.run_app(app(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), print=None, access_log=None)
