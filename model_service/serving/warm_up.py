"""The first calls of a version, before it is served: they make it fast, and show whether it fits its model.json."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from model_service.serving.runtimes.runtime import Array, TensorSpec, UnusableModel

# Batch sizes to run: the first call of a size is slow (TensorFlow traces, LiteRT plans).
WARM_UP_ROWS = (1, 2, 64)
# Replaces a free length of a shape, besides the window sizes of the model.
FREE_LENGTH = 8


def warm_up(
    model: str,
    inputs: Sequence[TensorSpec],
    details: Mapping[str, Any],
    run: Callable[[Mapping[str, Array]], Mapping[str, Array]],
) -> None:
    """Run the model with rising values, in each of its window sizes, and check its outputs.

    model: its name and version, for errors. details: model.json. Raises UnusableModel if the model fails, answers
    values that are not finite, or contradicts its model.json.
    """
    _check_window(model, inputs, details)
    lengths = [(FREE_LENGTH, details.get("horizon")), *_sizes(details)]
    for (length, horizon), rows in itertools.product(lengths, WARM_UP_ROWS):
        rising = {spec.name: _ramp(spec, rows, length) for spec in inputs}
        try:
            outputs = run(rising)
        except Exception as error:  # a runtime may raise anything
            raise UnusableModel(f"{model} fails: {type(error).__name__}: {error}") from None
        for name, value in outputs.items():
            _check_output(model, name, value, horizon, details.get("quantiles"))


def _sizes(details: Mapping[str, Any]) -> list[tuple[int, object]]:
    """The window and the horizon of each size in model.json. Sizes that another program wrote are left out."""
    sizes = details.get("sizes")
    described = [size for size in sizes if isinstance(size, dict)] if isinstance(sizes, list) else []
    found = [(size.get("window"), size.get("horizon")) for size in described]
    return [(window, horizon) for window, horizon in found if type(window) is int and window > 0]


def _check_window(model: str, inputs: Sequence[TensorSpec], details: Mapping[str, Any]) -> None:
    """Check that the model accepts the `window` of model.json, which is the length that functions send."""
    if not inputs:
        raise UnusableModel(f"{model} takes no input")
    window, shape = details["window"], inputs[0].shape
    if window is not None and shape is not None and len(shape) == 2 and shape[1] not in (-1, window):
        raise UnusableModel(
            f"{model} takes the shape {shape_text(shape)}, but its model.json says window {window!r}"
        )


def _check_output(model: str, name: str, value: Array, horizon: object, levels: object) -> None:
    """horizon, levels: as model.json says; None if it does not. Raises UnusableModel."""
    if value.dtype.kind == "f" and not np.isfinite(value).all():
        raise UnusableModel(f"{model} answers a plain window with values of {name!r} that are not finite")
    answered = f"{model} answers the shape {shape_text(value.shape)}"
    if name == "forecast" and horizon is not None and value.shape[1:2] != (horizon,):
        raise UnusableModel(f"{answered}, but its model.json says horizon {horizon}")
    if name == "forecast" and levels is not None and not _names_last_axis(levels, value):
        raise UnusableModel(f"{answered}, but its model.json says quantiles {levels}")


def _names_last_axis(levels: object, value: Array) -> bool:
    """Whether `levels` are quantiles, one per entry of the last axis. An output without that axis is the median."""
    if not isinstance(levels, list) or not all(
        isinstance(level, int | float) and 0 < level < 1 for level in levels
    ):
        return False
    return value.ndim < 3 or value.shape[2] == len(levels)


def _ramp(spec: TensorSpec, rows: int, free_length: int) -> Array:
    """A warm-up input of rising values: plausible for any model, and not constant."""
    lengths = [free_length if length == -1 else length for length in (spec.shape or ())[1:]]
    size = int(np.prod(lengths, dtype=int))
    return np.broadcast_to(np.arange(size).reshape(lengths), (rows, *lengths)).astype(spec.dtype)


def shape_text(shape: tuple[int, ...] | None) -> str:
    """A shape for messages."""
    return "any" if shape is None else str(list(shape))
