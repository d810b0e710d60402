"""The Fn function: hands each request of the FDK to the handler. The FDK loads this file by its path."""

import gc
import io
import logging
import os

from fdk import context, response

from connection import connect
from handler import Forecaster
from model import Model

COLLECT_EVERY = 20_000  # objects, as in the model service

# The FDK sets the root logger to DEBUG.
logging.getLogger().setLevel(os.environ.get("LOG_LEVEL", "INFO").upper())

forecaster = Forecaster(Model(connect(os.environ)))
# What is imported stays for good; not walking it again and again saves a quarter of the time of a batch. What a batch
# makes is thousands of objects, without cycles: to look through them several times a batch finds nothing.
gc.collect()
gc.freeze()
gc.set_threshold(COLLECT_EVERY)


def handler(ctx: context.InvokeContext, data: io.BytesIO) -> response.Response:
    """CloudEvents in, CloudEvents out; a refusal is an event as well, so the status is always 200."""
    answer = forecaster.answer(ctx.Headers(), data.getvalue())
    return response.Response(ctx, response_data=answer.body, headers={"Content-Type": answer.content_type})
