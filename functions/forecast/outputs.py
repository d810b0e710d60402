"""Output CloudEvents: forecasts, rejections and `unavailable`. Each names its input.

They are assembled as text: the numbers of a whole batch come from one `orjson.dumps`, because one per event is slower.
Only JSON that this function wrote is spliced in (`events.Event.members`, `events.Readings`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import orjson

from events import Event, Readings
from fncast.series.window import Float64Array
from model import MEDIAN, Forecasts

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
    events: Sequence[Event], readings: Sequence[Readings], filled: Sequence[int], scored: Forecasts
) -> list[bytes]:
    """An event for each input, in their order. A rejection if the model's numbers are not finite."""
    median = min(range(len(scored.quantiles)), key=lambda index: abs(scored.quantiles[index] - MEDIAN))
    template = _template(scored)
    texts = orjson.dumps(_rounded(scored.values, scored.moves), option=orjson.OPT_SERIALIZE_NUMPY)
    outputs = []
    for event, reading, gaps, row in zip(events, readings, filled, texts[3:-3].split(b"]],[["), strict=True):
        if b"null" in row:  # how orjson writes NaN and infinities
            outputs.append(rejected(event, "the model returned a number that is not finite for this window"))
            continue
        levels = row.split(b"],[")
        outputs.append(
            template
            % (event.digest, event.members, reading.place, levels[median], *levels, reading.unit, gaps)
        )
    return outputs


def _template(scored: Forecasts) -> bytes:
    """A forecast event with placeholders for digest, members, place, median, each quantile, unit and filled."""
    model = {}
    if scored.model_name is not None:
        model["modelname"] = scored.model_name
    if scored.model_version is not None:
        model["modelversion"] = scored.model_version
    tail = orjson.dumps(model)[1:]
    quantiles = b",".join(b'"%g":[%%b]' % quantile for quantile in scored.quantiles)
    return (
        _head(FORECAST, "forecast").replace(b"%", b"%%")
        + b'%b"%b,"data":{%b"values":[%b],"quantiles":{'
        + quantiles
        + b'}%b,"filled":%d}'
        + (b"," if model else b"")
        + tail.replace(b"%", b"%%")
    )


def rejected(event: Event, reason: str) -> bytes:
    """An event with the reason why `event` can never be scored."""
    return _reply(event, REJECTED, "rejected", {"reason": reason})


def unavailable(event: Event, reason: str, retry_after_s: float) -> bytes:
    """An event with the reason why `event` cannot be scored now. retry_after_s: when to retry, in seconds."""
    return _reply(event, UNAVAILABLE, "unavailable", {"reason": reason, "retry_after_s": retry_after_s})


def _reply(event: Event, type_: str, kind: str, data: dict[str, object]) -> bytes:
    return b'%b%b"%b,"data":%b}' % (
        _head(type_, kind),
        event.digest,
        event.members,
        orjson.dumps(data),
    )


def _head(type_: str, kind: str) -> bytes:
    """The start of an output, up to the prefix of its id. The input's digest follows, so a retry has the same id."""
    attributes = {
        "specversion": "1.0",
        "type": type_,
        "source": SOURCE,
        "datacontenttype": "application/json",
        "id": f"{kind}-",
    }
    return orjson.dumps(attributes)[:-2]


def _rounded(values: Float64Array, moves: Float64Array) -> Float64Array:
    """values rounded to DIGITS digits of their move, never left of the decimal point.

    values: (batch, quantiles, horizon). moves: (batch,).
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        largest = np.abs(values).max(axis=(1, 2))
        decimals = DIGITS - 1 - np.floor(np.log10(moves))
        exact = _FLOAT64_DIGITS - 1 - np.floor(np.log10(largest))
        decimals = np.clip(np.minimum(decimals, exact), 0, len(_POWERS_OF_TEN) - 1)
        scale = _POWERS_OF_TEN[np.nan_to_num(decimals, nan=0).astype(np.int64)][:, None, None]
        rounded: Float64Array = np.rint(values * scale) / scale
    return rounded
