"""Writes the data of forecast events: as JSON, or as attributes beside a tensor.

The numbers of a whole call come from one `orjson.dumps`, because one per event is slower.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import orjson
from numpy.typing import NDArray

from fncast.series.step import Step
from fncast.series.window_data import EventReadings

MEDIAN = 0.5


def forecast_data(
    values: NDArray[np.floating],
    quantiles: Sequence[float],
    readings: Sequence[EventReadings],
    filled: Sequence[int],
) -> list[bytes]:
    """The data of each forecast as JSON.

    values: (batch, quantiles, horizon), finite; `values` of the data are those of the level nearest to the median.
    readings: of the events, in the same order. filled: missing readings that were bridged.
    """
    if not len(values):
        return []
    median = nearest_to_median(quantiles)
    template = (
        b'{%b"values":[%b],"quantiles":{'
        + b",".join(b'"%g":[%%b]' % quantile for quantile in quantiles)
        + b'}%b,"filled":%d,"history":%d%b}'
    )
    texts = orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)
    data = []
    rows = texts[3:-3].split(b"]],[[")
    for reading, gaps, history, row in zip(readings, filled, _histories(readings), rows, strict=True):
        levels = row.split(b"],[")
        ends = (reading.unit, gaps, history, reading.labels)
        data.append(template % (reading.grid_json, levels[median], *levels, *ends))
    return data


def forecast_attributes(quantiles: Sequence[float], readings: EventReadings, filled: int) -> dict[str, str]:
    """The attributes that a forecast has if its data is a tensor: what JSON has beside the numbers, but no labels."""
    grid = orjson.loads(b"{%b}" % readings.grid_json.removesuffix(b","))
    unit = orjson.loads(b"{%b}" % readings.unit.removeprefix(b","))
    attributes = {"quantiles": quantiles_text(quantiles), "filled": str(filled), **unit}
    attributes["history"] = str(history_of(readings))
    if grid:
        attributes |= {"start": grid["start"], "step": str(Step.of(grid))}
    if "step_day" in grid:
        attributes["stepday"] = str(grid["step_day"])
    return attributes


def history_of(readings: EventReadings) -> int:
    """The number of known readings of an event."""
    values = readings.values
    if isinstance(values, np.ndarray):
        return int(np.count_nonzero(~np.isnan(values)))
    return int(len(values) - values.count(None))


def _histories(readings: Sequence[EventReadings]) -> list[int]:
    """As `history_of`; rows of one length are counted at once."""
    values = [reading.values for reading in readings]
    if not all(isinstance(row, np.ndarray) and len(row) == len(values[0]) for row in values):
        return [history_of(reading) for reading in readings]
    counts: list[int] = np.count_nonzero(~np.isnan(np.stack(values)), axis=1).tolist()
    return counts


def quantiles_text(quantiles: Sequence[float]) -> str:
    """The levels as one text: `0.1,0.5,0.9`."""
    return ",".join(f"{quantile:g}" for quantile in quantiles)


def nearest_to_median(quantiles: Sequence[float]) -> int:
    """The position of the level nearest to 0.5."""
    return min(range(len(quantiles)), key=lambda index: abs(quantiles[index] - MEDIAN))
