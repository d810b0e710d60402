"""The Fn function: passes each request of the FDK to the handler. The FDK loads this file by its path."""

import gc
import io
import logging
import os

from fdk import context, response

from connection import connect, horizon_of
from handler import Forecaster
from model import ForecastModel

COLLECT_EVERY = 20_000  # new objects, as in the model service

# The FDK sets the root logger to DEBUG.
logging.getLogger().setLevel(os.environ.get("LOG_LEVEL", "INFO").upper())

forecaster = Forecaster(ForecastModel(connect(os.environ), horizon_of(os.environ)))
# Imported objects are never freed, and a batch creates thousands of objects without cycles. Collecting several times a
# batch would only cost time.
gc.collect()
gc.freeze()
gc.set_threshold(COLLECT_EVERY)


def handler(ctx: context.InvokeContext, data: io.BytesIO) -> response.Response:
    """Answer CloudEvents with CloudEvents. A rejection is an event too, so the status is always 200."""
    answer = forecaster.answer(ctx.Headers(), data.getvalue())
    return response.Response(
        ctx, response_data=answer.body, headers={"Content-Type": answer.content_type, **answer.headers}
    )
