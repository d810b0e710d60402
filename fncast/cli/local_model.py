"""Runs a model in this process with LiteRT: the forecasts that were made before each reading of a series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from fncast.cli.native_output import without_info_lines
from fncast.failure import Failure
from fncast.series.window import MISSING, ceiling_of, floor_of, shift
from fncast.series.window_batch import prepare_rows
from model_service.serving.runtimes.runtime import Runtime, UnusableModel
from model_service.serving.runtimes.runtime_choice import open_runtime
from model_service.serving.version_folder import VersionFolder, has_hash, scan

Float64Array = NDArray[np.float64]

# Windows in one call of the model. Fixed, because LiteRT plans again for each size.
BATCH = 1024
BAND = (0.1, 0.9)
MEDIAN = 0.5


@dataclass(frozen=True)
class StepForecasts:
    """near, far: (readings, 3) median and band of each reading, by the last forecast before it and by the first that
    includes it. NaN where there is none.
    """

    near: Float64Array
    far: Float64Array


class LocalModel:
    """A version of a model that fncast trained. window, horizon: in steps. quantiles: the levels of the output."""

    def __init__(self, folder: VersionFolder) -> None:
        """Raises Failure."""
        self.name, self.version = folder.name, folder.version
        try:
            folder.check_whole(())
            details = folder.details()
            self.window, self.horizon, self._is_sparse = _size(details, folder.path)
            self.quantiles = _quantiles(details, folder.path)
            self._levels = [_nearest(self.quantiles, level) for level in (MEDIAN, *BAND)]
            with without_info_lines():
                self._runtime: Runtime = open_runtime(folder.path, is_unverified=not has_hash(details))
                self._runtime.run({"windows": np.zeros((BATCH, self.window), dtype=np.float32)})
        except UnusableModel as error:
            raise Failure(str(error)) from None

    def __str__(self) -> str:
        return f"{self.name} version {self.version}"

    def forecasts(self, values: Float64Array) -> StepForecasts:
        """The forecasts of each reading. values: (readings,), NaN for a missing reading. Raises Failure.

        A reading after a gap has no near forecast until one reading has come again.
        """
        near = np.full((len(values), 3), np.nan)
        far = np.full((len(values), 3), np.nan)
        for origins, windows in self.windows(values):
            forecast = self._score(windows)
            near[origins] = forecast[:, 0]
            reached = origins + self.horizon - 1 < len(values)
            far[origins[reached] + self.horizon - 1] = forecast[reached, -1]
        without = np.isnan(far[:, 0])
        far[without] = near[without]
        return StepForecasts(near, far)

    def windows(self, values: Float64Array) -> Iterator[tuple[NDArray[np.int64], Float64Array]]:
        """Yield indices of readings, (n,), and the windows before them, (n, window), in batches. values: (readings,).

        Left out are windows without their last reading, and those that the model cannot use.
        """
        known = np.concatenate([np.full(self.window, np.nan), values]) if self._is_sparse else values
        if len(known) <= self.window:
            return
        first = self.window - (len(known) - len(values))
        every = sliding_window_view(known, self.window)[:-1]
        usable = ~np.isnan(every[:, -1])
        for begin in range(0, len(every), BATCH):
            at = np.flatnonzero(usable[begin : begin + BATCH]) + begin
            lengths = np.full(len(at), self.window)
            found = prepare_rows(every[at], lengths, self.window, is_sparse=self._is_sparse)
            if found.good:
                yield at[found.good] + first, found.values

    def quantile_forecasts(self, windows: Float64Array) -> Float64Array:
        """(windows, horizon, quantiles), as the forecast function gives them. windows: (batch, window), any number."""
        parts = [self._all_levels(windows[begin : begin + BATCH]) for begin in range(0, len(windows), BATCH)]
        return np.concatenate(parts)

    def _score(self, windows: Float64Array) -> Float64Array:
        """(windows, horizon, 3): median, low and high."""
        return self._all_levels(windows)[:, :, self._levels]

    def _all_levels(self, windows: Float64Array) -> Float64Array:
        """(windows, horizon, quantiles) of at most BATCH windows, padded to BATCH."""
        shifted, levels = shift(windows)
        if len(shifted) < BATCH:
            padded = np.zeros((BATCH, self.window), dtype=np.float32)
            padded[: len(shifted)] = shifted
            shifted = padded
        answer = np.asarray(self._runtime.run({"windows": shifted})["forecast"])[: len(windows)]
        forecast = answer.astype(np.float64) + levels[:, :, np.newaxis]
        forecast = np.maximum(floor_of(windows)[:, np.newaxis, np.newaxis], forecast)
        return np.asarray(np.minimum(ceiling_of(windows)[:, np.newaxis, np.newaxis], forecast))


def open_model(models: Path, name: str, version: int | None = None) -> LocalModel:
    """The version of a model, or its newest that is not retired. Raises Failure."""
    try:
        found = [folder for folder in scan(models) if folder.name == name]
    except OSError as error:
        raise Failure(f"{models}: cannot be read: {error.strerror or error}") from None
    if not found:
        raise Failure(f"{models / name}: contains no version of a model; train one with `fncast train`")
    if version is not None:
        wanted = [folder for folder in found if folder.version == version]
        if not wanted:
            there = ", ".join(str(folder.version) for folder in reversed(found))
            raise Failure(f"{models / name}: no version {version}; there are {there}")
        return LocalModel(wanted[0])
    in_service = [folder for folder in found if not folder.retired]
    if not in_service:
        raise Failure(f"{models / name}: every version is retired; name one with --version")
    return LocalModel(in_service[0])


def _positive(details: dict[str, Any], name: str, path: Path) -> int:
    value = details.get(name)
    if type(value) is not int or value < 1:
        raise Failure(f"{path}/model.json: has no positive integer {name!r}; use a model that fncast trained")
    return value


def _size(details: dict[str, Any], path: Path) -> tuple[int, int, bool]:
    """Window and horizon of a model, the largest if it has several, and whether it accepts missing readings."""
    sizes = details.get("sizes")
    if not isinstance(sizes, list):
        return _positive(details, "window", path), _positive(details, "horizon", path), False
    every = [size for size in sizes if isinstance(size, dict)]
    found = [(_positive(size, "window", path), _positive(size, "horizon", path)) for size in every]
    if not found or details.get("missing") != MISSING:
        raise Failure(f"{path}/model.json: its 'sizes' cannot be read; use a model that fncast trained")
    return *max(found), True


def _quantiles(details: dict[str, Any], path: Path) -> tuple[float, ...]:
    levels = details.get("quantiles")
    if isinstance(levels, list) and levels and all(isinstance(level, float) for level in levels):
        return tuple(levels)
    raise Failure(f"{path}/model.json: has no list of numbers 'quantiles'; use a model that fncast trained")


def _nearest(levels: tuple[float, ...], wanted: float) -> int:
    return min(range(len(levels)), key=lambda index: abs(levels[index] - wanted))
