"""Gets a CloudEvent in binary mode, calls the model service with JSON, and answers a forecast CloudEvent.

`python http_function.py MODEL_URL PORT`
"""

import math
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import aiohttp
import orjson
import uvicorn
from fastapi import FastAPI, Request, Response

WINDOW = 48
MODEL_URL = sys.argv[1]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as app.state.client:
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/")
async def forecast(request: Request) -> Response:
    data = orjson.loads(await request.body())
    values = data["values"][-WINDOW:]
    if len(values) < WINDOW or not all(
        isinstance(value, int | float) and math.isfinite(value) for value in values
    ):
        return Response("bad window", 422)
    last = values[-1]
    body = orjson.dumps({"instances": [[value - last for value in values]]})
    async with request.app.state.client.post(f"{MODEL_URL}/predict", data=body) as answer:
        answer.raise_for_status()
        steps = orjson.loads(await answer.read())["predictions"][0]
    low, middle, high = ([last + step[i] for step in steps] for i in range(3))
    start = datetime.fromisoformat(data["start"]) + timedelta(seconds=data["step_s"] * len(data["values"]))
    output = {
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
    return Response(orjson.dumps(output), media_type="application/json", headers=headers)


@app.get("/healthz")
async def healthz() -> Response:
    return Response("ok")


if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(sys.argv[2]),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
