"""The classical methods of statsforecast over rolling origins: in parallel, and each result kept for the next run."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_service.training.backtest import Backtest

Float64Array = NDArray[np.float64]

METHODS = ("SES", "AutoETS", "AutoARIMA", "Theta", "MSTL", "MSTL+ARIMA")
# What a method is fitted on: enough for forty days of hours with two seasons; more costs minutes a fit.
MAX_READINGS = 2_000
# Up to so many origins a method is fitted anew at each; beyond, once before the test, and then only brought up to date.
MAX_REFITS = 50
# Longer seasons make AutoARIMA's search run for hours; it then has none, as ETS refuses more than 24 by itself.
MAX_MODEL_SEASON = 24
# Part of the cache's key: raise it when a result would come out otherwise.
PROTOCOL = 1


@dataclass(frozen=True)
class Task:
    """One method on one series. values: readings with gaps bridged; at: the origins."""

    method: str
    name: str
    values: Float64Array
    at: NDArray[np.int64]
    before: int
    horizon: int
    seasons: tuple[int, ...]

    def key(self) -> str:
        digest = hashlib.sha256(self.values.tobytes() + self.at.tobytes())
        facts = (self.method, self.before, self.horizon, self.seasons, PROTOCOL, version("statsforecast"))
        digest.update(json.dumps(facts).encode())
        return digest.hexdigest()


def tasks(
    backtests: Sequence[tuple[Backtest, tuple[int, ...]]], methods: Sequence[str] = METHODS
) -> list[Task]:
    """backtests: each with the seasons of its series. Without one MSTL is its trend's method: not run twice."""
    found = []
    for backtest, seasons in backtests:
        values = backtest.series.values
        missing = np.isnan(values)
        if missing.any():
            at = np.arange(len(values))
            values = np.interp(at, at[~missing], values[~missing])
        for method in methods:
            if not seasons and method.startswith("MSTL"):
                continue
            horizon = backtest.actuals.shape[1]
            found.append(
                Task(method, backtest.series.name, values, backtest.at, backtest.before, horizon, seasons)
            )
    return found


def forecasts(
    wanted: Sequence[Task],
    cache: Path,
    workers: int,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Iterator[tuple[Task, Float64Array | str]]:
    """Each task with its forecasts (origins, horizon, 3), or the reason why there are none, as they are done."""
    waiting, done = [], 0
    for task in wanted:
        kept = _read(cache, task)
        if kept is None:
            waiting.append(task)
        else:
            done += 1
            yield task, kept
    progress(done, len(wanted))
    if not waiting:
        return
    # Spawned, not forked: TensorFlow's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
        pending = {pool.submit(run, task): task for task in waiting}
        try:
            for future in as_completed(pending):
                task = pending[future]
                done += 1
                try:
                    result: Float64Array | str = future.result()
                    _write(cache, task, np.asarray(result))
                except Exception as error:  # a method may fail on a series in any way; the others go on
                    result = f"{type(error).__name__}: {error}"
                progress(done, len(wanted))
                yield task, result
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _end_with_parent() -> None:
    """A worker whose parent was killed would go on fitting for minutes."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def run(task: Task) -> Float64Array:
    """The forecasts of one task: (origins, horizon, 3)."""
    warnings.simplefilter("ignore")
    refit = len(task.at) <= MAX_REFITS
    model = _model(task.method, task.seasons)
    if not refit:
        model = model.fit(task.values[max(0, task.before - MAX_READINGS) : task.before])
    rows = []
    for origin in task.at:
        history = task.values[max(0, origin - MAX_READINGS) : origin]
        if refit:
            answer = model.forecast(y=history, h=task.horizon, level=[80])
        else:
            answer = model.forward(y=history, h=task.horizon, level=[80])
        rows.append(np.stack([answer["lo-80"], answer["mean"], answer["hi-80"]], axis=1))
    result = np.array(rows, dtype=np.float64)
    if not np.isfinite(result).all():
        raise ValueError("its forecasts are not finite")
    return result


def _model(method: str, seasons: tuple[int, ...]) -> Any:
    from statsforecast.models import MSTL, AutoARIMA, AutoETS, Theta

    short = seasons[0] if seasons and seasons[0] <= MAX_MODEL_SEASON else 1
    if method == "SES":
        return AutoETS(season_length=1, model="ANN")
    if method == "AutoETS":
        return AutoETS(season_length=short)
    if method == "AutoARIMA":
        return AutoARIMA(season_length=short)
    if method == "Theta":
        return Theta(season_length=short)
    trend = AutoARIMA() if method == "MSTL+ARIMA" else AutoETS(model="ZZN")
    return MSTL(season_length=list(seasons), trend_forecaster=trend)


def _read(cache: Path, task: Task) -> Float64Array | None:
    try:
        kept = np.load(cache / f"{task.key()}.npy", allow_pickle=False)
    except (OSError, ValueError):
        return None
    return np.asarray(kept) if kept.shape == (len(task.at), task.horizon, 3) else None


def _write(cache: Path, task: Task, result: Float64Array) -> None:
    """A cache that cannot be written costs the next run time, nothing else."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        handle, unnamed = tempfile.mkstemp(dir=cache, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            np.save(file, result)
        os.replace(unnamed, cache / f"{task.key()}.npy")
    except OSError:
        return
