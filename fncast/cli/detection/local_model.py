"""Runs a model in this process with LiteRT, in several threads at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from fncast.cli.process.native_output import without_info_lines
from fncast.failure import Failure
from fncast.series.window import MAX_MAGNITUDE, MISSING, Float64Array, clip_forecasts, shift
from fncast.series.window_batch import chosen_sizes, prepare_rows
from model_service.serving.runtimes.runtime import Runtime, UnusableModel
from model_service.serving.runtimes.runtime_choice import open_runtime
from model_service.serving.version_folder import VersionFolder, has_hash, scan

# Windows in one call of the model. Fixed, because LiteRT plans again for each size.
BATCH = 256
MAX_THREADS = 8
BAND = (0.1, 0.9)
MEDIAN = 0.5


class LocalModel:
    """One version of a model that fncast trained. Threads may share it.

    A model has one or more sizes: each is a window and a horizon. window, horizon: in steps, of the largest size.
    quantiles: the levels of the output. threads: how many can use it at the same time.
    """

    def __init__(self, folder: VersionFolder) -> None:
        """Raises Failure."""
        self.name, self.version = folder.name, folder.version
        self.threads = min(os.cpu_count() or 1, MAX_THREADS)
        self._runtimes: SimpleQueue[Runtime] = SimpleQueue()  # those that no thread uses now
        try:
            folder.check_whole(())
            details = folder.details()
            self._sizes, self._is_sparse = _sizes(details, folder.path)
            self.window, self.horizon = self._sizes[-1]
            self.quantiles = _quantiles(details, folder.path)
            self._levels = [_nearest(self.quantiles, level) for level in (MEDIAN, *BAND)]
            with without_info_lines():
                for number in range(self.threads):
                    is_unverified = number == 0 and not has_hash(details)
                    runtime = open_runtime(folder.path, is_unverified=is_unverified)
                    runtime.run({"windows": np.zeros((BATCH, self.window), dtype=np.float32)})
                    self._runtimes.put(runtime)
        except UnusableModel as error:
            raise Failure(str(error)) from None

    def __str__(self) -> str:
        return f"{self.name} version {self.version}"

    def batch_begins(self, readings: int) -> range:
        """The number of the first window of each batch, for a series of `readings` readings.

        The number of a window is the index of the first reading after it.
        """
        return range(0 if self._is_sparse else self.window, readings, BATCH)

    def batch(self, values: Float64Array, begin: int) -> tuple[NDArray[np.int64], Float64Array]:
        """The batch that begins with the window of number `begin`: the numbers, (n,), and the windows, (n, window).

        values: (readings,), NaN for a missing one. The batch leaves out windows whose last reading is missing, and
        windows that the model cannot use.
        """
        end = min(begin + BATCH, len(values))
        known = values[max(0, begin - self.window) : end - 1]
        if begin < self.window:
            known = np.concatenate([np.full(self.window - begin, np.nan), known])
        windows = sliding_window_view(known, self.window)
        if (np.abs(known) <= MAX_MAGNITUDE).all():  # False for a missing reading
            return np.arange(begin, end), windows
        at = np.flatnonzero(~np.isnan(windows[:, -1]))
        lengths = np.full(len(at), self.window)
        found = prepare_rows(windows[at], lengths, self.window, is_sparse=self._is_sparse)
        return begin + at[found.good], found.values

    def windows(self, values: Float64Array) -> Iterator[tuple[NDArray[np.int64], Float64Array]]:
        """Yield all batches of a series that have windows; see `batch`."""
        for begin in self.batch_begins(len(values)):
            numbers, windows = self.batch(values, begin)
            if len(numbers):
                yield numbers, windows

    def quantile_forecasts(self, windows: Float64Array) -> Float64Array:
        """The forecasts of the largest size, (windows, horizon, quantiles). windows: (windows, window)."""
        all_places = (slice(None), slice(None))
        parts = [
            self._score(windows[begin : begin + BATCH], self.window, all_places)
            for begin in range(0, len(windows), BATCH)
        ]
        return np.concatenate(parts)

    def first_and_last_steps(self, windows: Float64Array) -> tuple[Float64Array, NDArray[np.int64]]:
        """The first and the last step of each forecast, and how many steps each forecast has.

        windows: (windows, window), at most BATCH. Each is forecast by the size that the forecast function would choose.
        Returns (windows, 2, 3), with median, low and high of both steps, and (windows,).
        """
        ends, steps = np.empty((len(windows), 2, 3)), np.empty(len(windows), dtype=np.int64)
        chosen = chosen_sizes(windows, self._sizes, None)
        for window, horizon in self._sizes:
            rows = np.flatnonzero(chosen == window)
            if len(rows):
                ends[rows] = self._score(windows[rows], window, np.ix_((0, horizon - 1), self._levels))
                steps[rows] = horizon
        return ends, steps

    def _score(self, windows: Float64Array, window: int, places: Any) -> Float64Array:
        """The forecasts of at most BATCH windows by one size, (windows, …). LiteRT gets BATCH windows, the rest zeros.

        window: of the size, in steps. places: an index of the steps and quantiles to return.
        """
        shifted, levels = shift(windows[:, -window:])
        if len(shifted) < BATCH:
            padded = np.zeros((BATCH, window), dtype=np.float32)
            padded[: len(shifted)] = shifted
            shifted = padded
        runtime = self._runtimes.get()
        try:
            answer = np.asarray(runtime.run({"windows": shifted})["forecast"])
        finally:
            self._runtimes.put(runtime)
        forecast = answer[(slice(len(windows)), *places)].astype(np.float64) + levels[:, :, np.newaxis]
        return clip_forecasts(forecast, windows)


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
            existing = ", ".join(str(folder.version) for folder in reversed(found))
            raise Failure(f"{models / name}: no version {version}; there are {existing}")
        return LocalModel(wanted[0])
    in_service = [folder for folder in found if not folder.is_retired]
    if not in_service:
        raise Failure(f"{models / name}: every version is retired; name one with --version")
    return LocalModel(in_service[0])


def _positive(details: dict[str, Any], name: str, path: Path) -> int:
    """A member of model.json that is a positive integer. path: of the version, for the message. Raises Failure."""
    value = details.get(name)
    if type(value) is not int or value < 1:
        raise Failure(f"{path}/model.json: has no positive integer {name!r}; use a model that fncast trained")
    return value


def _sizes(details: dict[str, Any], path: Path) -> tuple[list[tuple[int, int]], bool]:
    """Window and horizon of each size of a model, ascending; and whether it accepts gaps. Raises Failure."""
    sizes = details.get("sizes")
    if not isinstance(sizes, list):
        return [(_positive(details, "window", path), _positive(details, "horizon", path))], False
    every = [size for size in sizes if isinstance(size, dict)]
    found = sorted((_positive(size, "window", path), _positive(size, "horizon", path)) for size in every)
    if not found or details.get("missing") != MISSING:
        raise Failure(f"{path}/model.json: its 'sizes' cannot be read; use a model that fncast trained")
    return found, True


def _quantiles(details: dict[str, Any], path: Path) -> tuple[float, ...]:
    """The levels in model.json. Raises Failure."""
    levels = details.get("quantiles")
    if isinstance(levels, list) and levels and all(isinstance(level, float) for level in levels):
        return tuple(levels)
    raise Failure(f"{path}/model.json: has no list of numbers 'quantiles'; use a model that fncast trained")


def _nearest(levels: tuple[float, ...], wanted: float) -> int:
    return min(range(len(levels)), key=lambda index: abs(levels[index] - wanted))
