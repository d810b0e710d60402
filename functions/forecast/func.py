"""The Fn function: hands each request of the FDK to the handler. The FDK loads this file by its path."""

import gc
import io
import logging
import os

from fdk import context, response

from handler import Forecaster
from model import Client, Model, NoClient
from model_service.client import connect_graphpipe

# Both tries of a swapped model together stay under the timeout in func.yaml.
MODEL_TIMEOUT_S = 6.0

# The FDK sets the root logger to DEBUG.
logging.getLogger().setLevel(os.environ.get("LOG_LEVEL", "INFO").upper())


def connect(url: str | None, token: str) -> Client:
    """The client of the model services; where a setting is missing or wrong, one that says so in each answer."""
    if not url:
        return NoClient("GP_SERVER_URL is not set: configure it, such as http://model-service:9000")
    try:
        return connect_graphpipe(url, MODEL_TIMEOUT_S, token)
    except ValueError as error:
        return NoClient(f"GP_SERVER_URL: {error}")


forecaster = Forecaster(
    Model(connect(os.environ.get("GP_SERVER_URL"), os.environ.get("GP_SERVER_TOKEN", "")))
)
# What is imported stays for good; not walking it again and again saves a quarter of the time of a batch.
gc.collect()
gc.freeze()


def handler(ctx: context.InvokeContext, data: io.BytesIO) -> response.Response:
    """CloudEvents in, CloudEvents out; a refusal is an event as well, so the status is always 200."""
    answer = forecaster.answer(ctx.Headers(), data.getvalue())
    return response.Response(ctx, response_data=answer.body, headers={"Content-Type": answer.content_type})
