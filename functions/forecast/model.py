"""The model that the function calls: its description, which is cached, and its forecasts."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fncast.series.forecast_data import MEDIAN
from fncast.series.window import MISSING, Float64Array, shift
from fncast.series.window_sizes import window_for
from model_service.client import InvalidShape, ModelClient, ModelError, ModelUnavailable
from model_service.protocols.graphpipe import MetadataResponse

log = logging.getLogger("fncast.forecast")

# Smaller moves are rounding errors of a constant window: the base model divides a window by at least 1e-30.
SMALLEST_MOVE = 1e-28


class ChangedModel(Exception):
    """The model does not fit its cached description. The caller should read it again and retry once."""


@dataclass(frozen=True)
class Description:
    """A model as its service describes it.

    window: how many readings the model takes, None for any number. quantiles: levels of the output's last axis, None if
    not described. version: None if unknown. sizes: (readings, steps of the forecast) of a model that accepts missing
    readings, ascending; empty for other models.
    """

    window: int | None
    quantiles: tuple[float, ...] | None
    version: str | None
    sizes: tuple[tuple[int, int], ...] = ()

    @property
    def is_sparse(self) -> bool:
        """Whether the model accepts missing readings, and fewer readings than its window."""
        return bool(self.sizes)

    def steps(self, readings: int, horizon: int | None) -> int:
        """How many readings the model gets of a window.

        horizon: steps of the forecast that are wanted; None: any.
        """
        return window_for(self.sizes, readings, horizon) if self.sizes else (self.window or max(readings, 1))


@dataclass(frozen=True)
class Forecasts:
    """Forecasts of a batch of windows.

    values: (batch, quantiles, horizon) float64, in the unit of the series; NaN where the model returned NaN.
    moves: (batch,), the largest distance of a value from the window's last reading.
    """

    values: Float64Array
    moves: Float64Array
    quantiles: tuple[float, ...]
    model_name: str | None
    model_version: str | None


class ForecastModel:
    """A model behind a client. Its description is read at first use and cached until `forget`."""

    def __init__(self, client: ModelClient, horizon: int | None = None) -> None:
        """horizon: the most steps of a forecast; None for those of the model's smallest size, or all without sizes."""
        self._client = client
        self._horizon = horizon
        self._description: Description | None = None

    def describe(self) -> Description:
        """The model's description. Raises ModelUnavailable."""
        if self._description is None:
            try:
                self._description = _description(self._client.metadata())
            except ModelError as error:
                raise ModelUnavailable(f"the model service sends no metadata: {error}") from None
            sizes = self._description.sizes
            if sizes and self._horizon is not None and self._horizon > sizes[-1][1]:
                log.warning(
                    "HORIZON is %d, but the model forecasts at most %d steps: forecasts have %d",
                    self._horizon,
                    sizes[-1][1],
                    sizes[-1][1],
                )
        return self._description

    def steps(self, readings: int) -> int:
        """How many readings the model gets of a window with `readings`. Raises ModelUnavailable."""
        return self.describe().steps(readings, self._horizon)

    def forget(self) -> None:
        """Drop the cached description; the next `describe` reads it again."""
        self._description = None

    def confirm(self) -> None:
        """Compare the cached description with the one of the service.

        Call it when no window was scored: else only the response to a window would show that the model was replaced.
        Raises ChangedModel, ModelUnavailable.
        """
        before, self._description = self._description, None
        if self.describe() != before:
            raise ChangedModel("the model has been replaced")

    def forecast(self, windows: Float64Array) -> Forecasts:
        """Forecast all windows by one call. windows: (batch, steps), oldest reading first, batch ≥ 1.

        Raises ChangedModel if the response does not fit the description, ModelUnavailable.
        """
        description = self.describe()
        shifted, levels = shift(windows)
        try:
            answer = self._client.infer(shifted)
        except InvalidShape as error:
            raise ChangedModel(str(error)) from None
        except ModelError as error:
            raise ModelUnavailable(f"the model service rejects the windows: {error}") from None
        if description.version and answer.model_version and description.version != answer.model_version:
            raise ChangedModel(f"version {answer.model_version} answered instead of {description.version}")
        quantiles, moved = _by_quantile(answer.outputs, description.quantiles)
        horizon = self._horizon or (description.sizes[0][1] if description.sizes else None)
        if horizon is not None and horizon < moved.shape[2]:
            moved = np.ascontiguousarray(moved[:, :, :horizon])
        moves = np.abs(moved).max(axis=(1, 2), initial=0.0)
        values = moved + levels[:, :, None]
        still = moves < SMALLEST_MOVE
        values[still] = levels[still, :, None] + 0.0  # not -0.0
        return Forecasts(values, moves, quantiles, answer.model_name, answer.model_version)


def _by_quantile(
    outputs: NDArray[np.floating[Any]], quantiles: tuple[float, ...] | None
) -> tuple[tuple[float, ...], Float64Array]:
    """The quantiles, and outputs as (batch, quantiles, horizon) float64. Raises ChangedModel."""
    if outputs.ndim == 2:
        return (MEDIAN,), outputs[:, None, :].astype(np.float64)
    if outputs.ndim == 3 and quantiles is None and outputs.shape[2] == 1:
        quantiles = (MEDIAN,)
    if outputs.ndim != 3 or quantiles is None or outputs.shape[2] != len(quantiles) or not outputs.shape[1]:
        named = "no quantiles" if quantiles is None else f"{len(quantiles)} quantiles"
        raise ChangedModel(f"the model answers with shape {list(outputs.shape)} and describes {named}")
    return quantiles, np.ascontiguousarray(outputs.transpose(0, 2, 1), dtype=np.float64)


def _description(metadata: MetadataResponse) -> Description:
    """The description in metadata. For a foreign server it may have only the window, from the shape of the input."""
    try:
        described = json.loads(metadata.description)
    except ValueError:
        described = None
    if not isinstance(described, dict):
        described = {}
    window = described.get("window")
    if type(window) is not int and metadata.inputs and metadata.inputs[0].shape:
        window = metadata.inputs[0].shape[-1]
    return Description(
        window if type(window) is int and window > 0 else None,
        _quantiles(described.get("quantiles")),
        (metadata.version or None) if described else None,
        _sizes(described),
    )


def _sizes(described: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
    """The sizes of a model that accepts missing readings as this function writes them."""
    sizes = described.get("sizes")
    if described.get("missing") != MISSING or not isinstance(sizes, list):
        return ()
    pairs = []
    for size in sizes:
        window, horizon = (
            (size.get("window"), size.get("horizon")) if isinstance(size, dict) else (None, None)
        )
        if type(window) is not int or type(horizon) is not int or window < 1 or horizon < 1:
            return ()
        pairs.append((window, horizon))
    return tuple(sorted(pairs))


def _quantiles(levels: object) -> tuple[float, ...] | None:
    if not isinstance(levels, list) or not levels:
        return None
    if not all(isinstance(level, int | float) and 0 < level < 1 for level in levels):
        return None
    return tuple(map(float, levels))
