"""The forecast function, but events with the unit `crash` raise an exception. The FDK loads this file by its path."""

import importlib.util
import io
import sys
from pathlib import Path

from fdk import context, response

FORECAST = Path(__file__).parents[3] / "functions" / "forecast"
CRASH = b'"unit":"crash"'

sys.path.insert(0, str(FORECAST))
spec = importlib.util.spec_from_file_location("forecast_function", FORECAST / "func.py")
forecast = importlib.util.module_from_spec(spec)
spec.loader.exec_module(forecast)


def handler(ctx: context.InvokeContext, data: io.BytesIO) -> response.Response:
    if CRASH in data.getvalue():
        raise RuntimeError("poison")
    return forecast.handler(ctx, data)
