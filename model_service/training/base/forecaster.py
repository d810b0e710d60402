"""Forecasts with the files of a base model or a fine-tuned one, as the function and the model service do together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fncast.series.window import Float64Array, clip_forecasts, shift
from fncast.series.window_batch import chosen_sizes
from model_service.serving.runtimes.runtime import UnusableModel
from model_service.serving.runtimes.runtime_choice import open_runtime, sized_files
from model_service.serving.version_folder import DOCUMENT_FILE
from model_service.training.base.shape import QUANTILES
from model_service.training.settings import QUANTILES as USUAL_QUANTILES

BATCH = 512
# The positions of the quantiles that evaluations compare: 0.1, 0.5, 0.9.
COMPARED_QUANTILES = (0, 4, 8)
assert len(USUAL_QUANTILES) == len(COMPARED_QUANTILES)


class BaseForecaster:
    """A base model. Not thread-safe."""

    def __init__(self, folder: Path) -> None:
        """folder: of the version. Raises UnusableModel."""
        self.folder = folder
        self._runtime = open_runtime(folder, "litert")
        self._sizes = _sizes(folder)

    @property
    def horizon(self) -> int:
        """The most steps of a forecast."""
        return self._sizes[-1][1]

    def compared(self, windows: Float64Array, horizon: int, *, is_limited: bool = True) -> Float64Array:
        """As `forecast`, but only the quantiles 0.1, 0.5, 0.9: (count, horizon, 3)."""
        return self.forecast(windows, horizon, is_limited=is_limited)[:, :, COMPARED_QUANTILES]

    def forecast(self, windows: Float64Array, horizon: int, *, is_limited: bool = True) -> Float64Array:
        """Forecast windows: (count, readings), NaN if missing → (count, horizon, 9 quantiles).

        horizon: at most the property of this name. is_limited: a window that was never negative has no negative
        forecast, and likewise for 100 %. False for scaled windows, in which 0 is the last reading.
        """
        forecast = np.empty((len(windows), horizon, len(QUANTILES)))
        chosen = chosen_sizes(windows, self._sizes, horizon)
        for window in np.unique(chosen).tolist():
            rows = np.flatnonzero(chosen == window)
            forecast[rows] = self._run(windows[rows], window, horizon)
        return clip_forecasts(forecast, windows) if is_limited else forecast

    def _run(self, windows: Float64Array, window: int, horizon: int) -> Float64Array:
        """The forecasts of one size: (count, horizon, quantiles)."""
        kept = windows[:, -window:]
        padded = np.full((len(kept), window), np.nan)
        padded[:, window - kept.shape[1] :] = kept
        shifted, levels = shift(padded)
        parts = [
            self._runtime.run({"windows": shifted[at : at + BATCH]})["forecast"][:, :horizon]
            for at in range(0, len(shifted), BATCH)
        ]
        moved = np.concatenate(parts).astype(np.float64)
        return np.asarray(moved + levels[:, :, np.newaxis])

    def at_origins(self, values: Float64Array, origins: Sequence[int], horizon: int) -> Float64Array:
        """Forecast one series from several origins: (origins, horizon, 3), the quantiles 0.1, 0.5, 0.9.

        values: (readings,), NaN if missing. The model sees the readings before each origin.
        """
        longest = self._sizes[-1][0]
        padded = np.concatenate([np.full(longest, np.nan), values])
        windows = np.stack([padded[origin : origin + longest] for origin in origins])
        return self.compared(windows, horizon)


def _sizes(folder: Path) -> list[tuple[int, int]]:
    """Window and horizon of each size, ascending. Raises UnusableModel."""
    files = sized_files(folder)
    try:
        described = json.loads((folder / DOCUMENT_FILE).read_text("utf-8"))
        sizes = sorted((int(size["window"]), int(size["horizon"])) for size in described["sizes"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UnusableModel(
            f"{folder}/{DOCUMENT_FILE}: the sizes of the model cannot be read: {error}"
        ) from None
    if not sizes or any(window not in files for window, _ in sizes):
        raise UnusableModel(
            f"{folder}/{DOCUMENT_FILE}: names sizes of which there is no file model-WINDOW.tflite"
        )
    return sizes
