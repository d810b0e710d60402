"""Tensor calls: the windows of many events to a function, and its forecasts back, as one GraphPipe message each.

docs/functions.md describes both messages. The consumer and the forecast function use this codec, which does no I/O.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fncast.media_type import TENSOR
from fncast.series.window import MAX_MAGNITUDE, Float64Array
from model_service.protocols.graphpipe import (
    InferRequest,
    InferResponse,
    InvalidMessage,
    decode_infer_response,
    decode_request,
    encode_infer_response,
    encode_request,
)

CONTENT_TYPE = TENSOR
WINDOWS_TYPE = "io.fncast.windows.v1"
FORECASTS_TYPE = "io.fncast.forecasts.v1"

MAX_ROWS = 131_072  # as many as the model service takes in one call
MAX_NUMBERS = 2_000_000  # of the forecasts in one response, which become JSON
MAX_LEVELS = 99
_INPUTS = ("windows", "lengths", "low", "high")


@dataclass(slots=True)
class WindowRows:
    """The windows of a request, a row each.

    values: (n, steps) float64, oldest reading first, NaN for a missing one. A shorter window is at the end of its
    row. lengths: (n,) int64, readings of each window. low, high: (n,) float64, limits of its forecast; NaN for none.
    """

    values: Float64Array
    lengths: NDArray[np.int64]
    low: Float64Array
    high: Float64Array

    def at(self, positions: Sequence[int]) -> WindowRows:
        """The rows at these positions, in ascending order."""
        if len(positions) == len(self.values):
            return self
        kept = list(positions)
        return WindowRows(self.values[kept], self.lengths[kept], self.low[kept], self.high[kept])


@dataclass(slots=True)
class ForecastRows:
    """The response to WindowRows, a row for each window.

    values: (n, horizon, quantiles) float. reasons: empty where the window was scored.
    filled: missing readings that were bridged, None if the function does not say.
    retry_after_s: (n,) float64, the seconds after which a retry may succeed, NaN where no retry helps; None if no retry
    helps in any row.
    """

    values: NDArray[np.floating[Any]]
    reasons: list[str]
    filled: list[int] | None = None
    retry_after_s: Float64Array | None = None


def encode_windows(rows: WindowRows) -> bytes:
    """The request. Tensors with default values only are left out. Raises InvalidMessage for too much data."""
    optional = [
        ("lengths", rows.lengths, bool((rows.lengths == rows.values.shape[1]).all())),
        ("low", rows.low, bool(np.isnan(rows.low).all())),
        ("high", rows.high, bool(np.isnan(rows.high).all())),
    ]
    present = [(name, tensor) for name, tensor, is_default in optional if not is_default]
    names = tuple(name for name, _ in present)
    tensors = tuple(tensor for _, tensor in present)
    return encode_request(InferRequest((rows.values, *tensors), ("windows", *names)))


def decode_windows(body: bytes) -> WindowRows:
    """The windows in a request; a tensor [steps] is one window.

    Whatever a row holds before a shorter window becomes NaN. Raises InvalidMessage with the reason.
    """
    request = decode_request(body)
    if not isinstance(request, InferRequest):
        raise InvalidMessage("the message is not an inference request")
    names = request.input_names or _INPUTS[: min(len(request.input_tensors), 1)]
    tensors = dict(zip(names, request.input_tensors, strict=False))
    if len(names) != len(request.input_tensors) or len(tensors) != len(names):
        raise InvalidMessage(
            f"{len(request.input_tensors)} tensors need as many different names, not {len(set(request.input_names))}"
        )
    if unknown := sorted(tensors.keys() - set(_INPUTS)):
        raise InvalidMessage(f"no input is named {unknown[0][:64]!r}; the inputs are {', '.join(_INPUTS)}")
    if "windows" not in tensors:
        raise InvalidMessage("the tensor `windows` is missing")
    values = _floats("windows", tensors["windows"])
    values = values[None] if values.ndim == 1 else values
    if values.ndim != 2 or len(values) > MAX_ROWS:
        raise InvalidMessage(
            f"windows has the shape {list(values.shape)} instead of [n, steps], n ≤ {MAX_ROWS}"
        )
    count, steps = values.shape
    lengths = np.full(count, steps, np.int64)
    if "lengths" in tensors:
        found = tensors["lengths"]
        if found.dtype.kind not in "iu" or found.shape != (count,) or ((found < 0) | (found > steps)).any():
            raise InvalidMessage(f"lengths must be [{count}] integers from 0 to {steps}")
        lengths = found.astype(np.int64)
        is_before = np.arange(steps) < steps - lengths[:, np.newaxis]
        values = np.where(is_before, np.nan, values)  # a sender may fill the rest of a row with zeros
    low, high = (_row_of_floats(name, tensors.get(name), count) for name in ("low", "high"))
    is_too_low = (np.abs(low) > MAX_MAGNITUDE) & (low != -np.inf)
    if is_too_low.any() or (np.abs(high) > MAX_MAGNITUDE).any() or (low > high).any():
        raise InvalidMessage(
            f"low and high must be within ±{MAX_MAGNITUDE:g} and low not above high; low may be -inf"
        )
    return WindowRows(values, lengths, low, high)


def encode_forecasts(rows: ForecastRows) -> bytes:
    """The response. Raises InvalidMessage for too much data, ValueError for retry_after_s without filled."""
    reasons = np.empty(len(rows.reasons), object)
    reasons[:] = [reason.encode("utf-8", "replace") for reason in rows.reasons]
    tensors: list[NDArray[Any]] = [rows.values, reasons]
    if rows.filled is not None:
        tensors.append(np.array(rows.filled, np.int64))
    if rows.retry_after_s is not None:
        if rows.filled is None:
            raise ValueError("retry_after_s is the fourth tensor: it needs filled before it")
        tensors.append(rows.retry_after_s)
    return encode_infer_response(InferResponse(tuple(tensors)))


def decode_forecasts(body: bytes, count: int) -> ForecastRows:
    """The forecasts for `count` windows. Raises InvalidMessage with the reason."""
    response = decode_infer_response(body)
    if response.errors:
        raise InvalidMessage(f"the function reports an error: {response.errors[0].message}")
    tensors = response.output_tensors
    if not 2 <= len(tensors) <= 4:
        raise InvalidMessage(f"{len(tensors)} tensors instead of forecast, reasons, filled and retry_after_s")
    forecast, reasons = tensors[:2]
    if forecast.dtype.kind != "f" or forecast.ndim != 3 or len(forecast) != count:
        shown = f"{forecast.dtype} {list(forecast.shape)}"
        raise InvalidMessage(f"forecast is {shown} instead of floats [{count}, horizon, quantiles]")
    if forecast.size > MAX_NUMBERS:
        raise InvalidMessage(f"forecast has {forecast.size} numbers; at most {MAX_NUMBERS} are accepted")
    if reasons.dtype != object or reasons.shape != (count,):
        shown = f"{reasons.dtype} {list(reasons.shape)}"
        raise InvalidMessage(f"reasons is {shown} instead of [{count}] strings")
    rows = ForecastRows(
        forecast, [reason.decode("utf-8", "replace") if reason else "" for reason in reasons.tolist()]
    )
    if len(tensors) > 2:
        if tensors[2].dtype.kind not in "iu" or tensors[2].shape != (count,):
            raise InvalidMessage(f"filled must be [{count}] integers")
        rows.filled = tensors[2].tolist()
    if len(tensors) > 3:
        rows.retry_after_s = _row_of_floats("retry_after_s", tensors[3], count)
    return rows


def parse_levels(text: str) -> tuple[float, ...]:
    """The levels in a text such as `0.1,0.5,0.9`. Raises ValueError."""
    try:
        levels = tuple(float(level) for level in text.split(",", MAX_LEVELS))
    except ValueError:
        raise ValueError(f"quantiles {text[:60]!r} are not numbers such as 0.1,0.5,0.9") from None
    if not all(0 < level < 1 for level in levels) or len(set(levels)) < len(levels):
        raise ValueError(f"quantiles {text[:60]!r} are not different numbers between 0 and 1")
    return levels


def _floats(name: str, tensor: NDArray[Any]) -> Float64Array:
    if tensor.dtype.kind != "f":
        raise InvalidMessage(f"{name} has the type {tensor.dtype} instead of Float64")
    return np.asarray(tensor, np.float64)


def _row_of_floats(name: str, tensor: NDArray[Any] | None, count: int) -> Float64Array:
    """A tensor [count]; all NaN without a tensor. Raises InvalidMessage."""
    if tensor is None:
        return np.full(count, np.nan)
    if tensor.shape != (count,):
        raise InvalidMessage(f"{name} has the shape {list(tensor.shape)} instead of [{count}]")
    return _floats(name, tensor)


def window_rows(windows: Sequence[Float64Array], low: Float64Array, high: Float64Array) -> WindowRows:
    """Rows of windows that may have different lengths. low, high: (n,), NaN for none."""
    lengths = np.array([len(window) for window in windows], np.int64)
    steps = int(lengths.max(initial=0))
    if (lengths == steps).all():
        values = np.concatenate(windows).reshape(len(windows), steps) if windows else np.empty((0, 0))
        return WindowRows(values, lengths, low, high)
    values = np.full((len(windows), steps), np.nan)
    for row, window in zip(values, windows, strict=True):
        row[steps - len(window) :] = window
    return WindowRows(values, lengths, low, high)
