"""Runs a model in this process with LiteRT: the forecasts that were made before each reading of a series."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from fncast.cli.native_output import without_info_lines
from fncast.failure import Failure
from fncast.series.window import MAX_MAGNITUDE, InvalidWindow, bridge, floor_of, shift
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
    includes it. NaN where there is none."""

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
            self.window = _positive(details, "window", folder.path)
            self.horizon = _positive(details, "horizon", folder.path)
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

        A reading after a gap has no near forecast until one reading has come again."""
        near = np.full((len(values), 3), np.nan)
        far = np.full((len(values), 3), np.nan)
        for origins, windows in self._windows(values):
            forecast = self._score(windows)
            near[origins] = forecast[:, 0]
            reached = origins + self.horizon - 1 < len(values)
            far[origins[reached] + self.horizon - 1] = forecast[reached, -1]
        without = np.isnan(far[:, 0])
        far[without] = near[without]
        return StepForecasts(near, far)

    def _windows(self, values: Float64Array) -> Any:
        """Yield origins and their windows in batches: those whose last reading is there and that can be filled."""
        if len(values) <= self.window:
            return
        every = sliding_window_view(values, self.window)[:-1]
        missing = np.isnan(every).sum(axis=1) if np.isnan(values).any() else np.zeros(len(every), np.int64)
        usable = ~np.isnan(every[:, -1])
        for begin in range(0, len(every), BATCH):
            at = np.flatnonzero(usable[begin : begin + BATCH]) + begin
            windows, origins = every[at].copy(), []
            for row, index in enumerate(at):
                try:
                    if missing[index]:
                        windows[row] = bridge(windows[row])[0]
                    origins.append(row)
                except InvalidWindow:
                    continue
            windows = windows[origins]
            sound = np.abs(windows).max(axis=1, initial=0.0) <= MAX_MAGNITUDE
            if sound.any():
                yield at[origins][sound] + self.window, windows[sound]

    def _score(self, windows: Float64Array) -> Float64Array:
        """(windows, horizon, 3): median, low and high. Padded to BATCH rows."""
        shifted, levels = shift(windows)
        if len(shifted) < BATCH:
            padded = np.zeros((BATCH, self.window), dtype=np.float32)
            padded[: len(shifted)] = shifted
            shifted = padded
        answer = np.asarray(self._runtime.run({"windows": shifted})["forecast"])[: len(windows)]
        forecast = answer[:, :, self._levels].astype(np.float64) + levels[:, :, np.newaxis]
        return np.maximum(floor_of(windows)[:, np.newaxis, np.newaxis], forecast)


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


def _quantiles(details: dict[str, Any], path: Path) -> tuple[float, ...]:
    levels = details.get("quantiles")
    if isinstance(levels, list) and levels and all(isinstance(level, float) for level in levels):
        return tuple(levels)
    raise Failure(f"{path}/model.json: has no list of numbers 'quantiles'; use a model that fncast trained")


def _nearest(levels: tuple[float, ...], wanted: float) -> int:
    return min(range(len(levels)), key=lambda index: abs(levels[index] - wanted))
