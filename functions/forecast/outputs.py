"""Writes the output CloudEvents: forecasts, rejections, and events that say `unavailable`. Each names its input.

The events are assembled as text. Only JSON that this function wrote is spliced in (`events.InputEvent.members`).
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from urllib.parse import quote

import numpy as np
import orjson

from events import InputEvent
from fncast.series.forecast_data import forecast_attributes, forecast_data
from fncast.series.window import Float64Array
from fncast.series.window_data import EventReadings
from model import Forecasts
from model_service.protocols.tensor_calls import CONTENT_TYPE
from model_service.protocols.tensor_events import encode_forecast

FORECAST = "io.fncast.forecast.v1"
REJECTED = "io.fncast.rejected.v1"
UNAVAILABLE = "io.fncast.unavailable.v1"
SOURCE = "fncast/forecast"

# Digits of a forecast, counted from its largest move. Float32 has no more: 21.34, not 21.340000629425.
DIGITS = 7
# Decimal digits that float64 keeps of any number.
_FLOAT64_DIGITS = 15
_POWERS_OF_TEN = np.array([float(f"1e{exponent}") for exponent in range(301)])


def forecasts(
    events: Sequence[InputEvent], readings: Sequence[EventReadings], filled: Sequence[int], scored: Forecasts
) -> list[bytes]:
    """A forecast for each input, in their order. scored: finite."""
    head, tail = _head(FORECAST, "forecast"), _tail(scored)
    values = rounded(scored.values, scored.moves)
    data = forecast_data(values, scored.quantiles, readings, filled)
    return [
        b'%b%b"%b,"data":%b%b' % (head, event.digest, event.members, each, tail)
        if not event.wants_tensor
        else _tensor_forecast(event, reading, gaps, row, scored)
        for event, reading, gaps, row, each in zip(events, readings, filled, values, data, strict=True)
    ]


def _tensor_forecast(
    event: InputEvent, reading: EventReadings, filled: int, values: Float64Array, scored: Forecasts
) -> bytes:
    """A forecast whose data is a GraphPipe message. values: (quantiles, horizon)."""
    head = _head(FORECAST, "forecast", CONTENT_TYPE)
    attributes = orjson.dumps(forecast_attributes(scored.quantiles, reading, filled))
    data = base64.b64encode(encode_forecast(values))
    return b'%b%b"%b,%b,"data_base64":"%b"%b' % (
        head,
        event.digest,
        event.members,
        attributes[1:-1],
        data,
        _tail(scored),
    )


def as_binary(output: bytes) -> tuple[dict[str, str], bytes] | None:
    """Headers and body of an output in binary mode. None if its data is JSON."""
    attributes = orjson.loads(output)
    if "data_base64" not in attributes:
        return None
    body = base64.b64decode(attributes.pop("data_base64"))
    del attributes["datacontenttype"]
    return {f"ce-{name}": quote(text, safe="/,:") for name, text in attributes.items()}, body


def _tail(scored: Forecasts) -> bytes:
    """The end of a forecast event, after its data."""
    model = {}
    if scored.model_name is not None:
        model["modelname"] = scored.model_name
    if scored.model_version is not None:
        model["modelversion"] = scored.model_version
    return (b"," if model else b"") + orjson.dumps(model)[1:]


def rejected(event: InputEvent, reason: str) -> bytes:
    """An event with the reason why `event` can never be scored."""
    return _reply(event, REJECTED, "rejected", {"reason": reason})


def unavailable(event: InputEvent, reason: str, retry_after_s: float) -> bytes:
    """An event with the reason why `event` cannot be scored now. retry_after_s: when to retry, in seconds."""
    return _reply(event, UNAVAILABLE, "unavailable", {"reason": reason, "retry_after_s": retry_after_s})


def _reply(event: InputEvent, type_: str, kind: str, data: dict[str, object]) -> bytes:
    return b'%b%b"%b,"data":%b}' % (
        _head(type_, kind),
        event.digest,
        event.members,
        orjson.dumps(data),
    )


def _head(type_: str, kind: str, content_type: str = "application/json") -> bytes:
    """The start of an output, up to the prefix of its id. The input's digest follows, so a retry has the same id."""
    attributes = {
        "specversion": "1.0",
        "type": type_,
        "source": SOURCE,
        "datacontenttype": content_type,
        "id": f"{kind}-",
    }
    return orjson.dumps(attributes)[:-2]


def rounded(values: Float64Array, moves: Float64Array) -> Float64Array:
    """The forecasts, rounded to the decimals in which their largest move has DIGITS digits.

    No digit before the decimal point is rounded.

    values: (batch, quantiles, horizon). moves: (batch,), see Forecasts.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        largest = np.abs(values).max(axis=(1, 2))
        decimals = DIGITS - 1 - np.floor(np.log10(moves))
        exact = _FLOAT64_DIGITS - 1 - np.floor(np.log10(largest))
        decimals = np.clip(np.minimum(decimals, exact), 0, len(_POWERS_OF_TEN) - 1)
        scale = _POWERS_OF_TEN[np.nan_to_num(decimals, nan=0).astype(np.int64)][:, None, None]
        result: Float64Array = np.rint(values * scale) / scale
    return result
