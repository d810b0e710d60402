"""A function that follows the orders in a call's body, and calls of it."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from functions.host.pool import ProcessPool

# A function that follows the orders in the body.
FUNCTION = """
import asyncio, io, json, os, sys, time
from fdk import response

async def handler(ctx, data: io.BytesIO):
    order = json.loads(data.getvalue())
    began = time.monotonic()
    if order.get("touch"):
        open(order["touch"], "w").close()
    while order.get("wait_for") and not os.path.exists(order["wait_for"]):
        await asyncio.sleep(0.01)
    if order.get("sleep_s"):
        await asyncio.sleep(order["sleep_s"])
    if order.get("exit"):
        os._exit(7)
    if order.get("raise"):
        raise ValueError("no")
    answer = {"pid": os.getpid(), "began": began, "ended": time.monotonic(),
              "config": os.environ.get("COLOUR"), "secret": os.environ.get("SECRET"),
              "headers": ctx.Headers(), "fn": [ctx.AppID(), ctx.FnID(), ctx.CallID(), ctx.Deadline()]}
    return response.Response(ctx, response_data=json.dumps(answer), headers={"Content-Type": "application/json"})
"""


Open = Callable[..., Awaitable[ProcessPool]]


async def call(pool: ProcessPool, **order: Any) -> dict[str, Any]:
    answer = await pool.call({"fn-call-id": "call-id", "ce-id": "1"}, json.dumps(order).encode())
    assert answer.status == 200, answer.body
    document: dict[str, Any] = json.loads(answer.body)
    return document
