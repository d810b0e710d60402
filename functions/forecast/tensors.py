"""Answers tensor calls: one GraphPipe message has the windows of many events, and one message has their forecasts."""

from __future__ import annotations

from urllib.parse import quote
from uuid import uuid4

import numpy as np

from fncast.series.forecast_data import quantiles_text
from model_service.protocols.tensor_calls import (
    FORECASTS_TYPE,
    ForecastRows,
    encode_forecasts,
)
from outputs import SOURCE, rounded
from scoring import ScoringResult

_OTHER_SHAPE = "the model's forecasts of this call have different shapes: send the windows in separate calls"


def forecasts(count: int, scores: ScoringResult) -> tuple[dict[str, str], bytes]:
    """The response to a request of `count` windows: attributes of the event as headers, and its data."""
    attributes = {"specversion": "1.0", "id": uuid4().hex, "source": SOURCE, "type": FORECASTS_TYPE}
    filled = [0] * count
    rows = ForecastRows(np.empty((count, 0, 0)), [""] * count, filled)
    if scores.groups:
        first = scores.groups[0].scored
        _, levels, horizon = first.values.shape
        rows.values = np.full((count, horizon, levels), np.nan)
        attributes["quantiles"] = quantiles_text(first.quantiles)
        if first.model_name is not None:
            attributes["modelname"] = first.model_name
        if first.model_version is not None:
            attributes["modelversion"] = first.model_version
    reasons = dict(scores.rejected)
    waits_s: dict[int, float] = {}
    for group in scores.groups:
        scored = group.scored
        if (scored.values.shape[1:], scored.quantiles) != (first.values.shape[1:], first.quantiles):
            reasons |= dict.fromkeys(group.positions, _OTHER_SHAPE)
            waits_s |= dict.fromkeys(group.positions, 0.0)
            continue
        written = rounded(scored.values, scored.moves).transpose(0, 2, 1)
        if len(written) == count:
            rows.values, rows.filled = written, group.filled
            continue
        rows.values[group.positions] = written
        for position, gaps in zip(group.positions, group.filled, strict=True):
            filled[position] = gaps
    for position, error in scores.unavailable.items():
        reasons[position] = str(error)
        waits_s[position] = error.retry_after_s
    for position, reason in reasons.items():
        rows.reasons[position] = reason
    if waits_s:
        rows.retry_after_s = np.full(count, np.nan)
        rows.retry_after_s[list(waits_s)] = list(waits_s.values())
    headers = {f"ce-{name}": quote(text, safe="/,") for name, text in attributes.items()}
    return headers, encode_forecasts(rows)
