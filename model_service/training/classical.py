"""Backtests the classical methods of statsforecast in parallel processes, and caches each result."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model_service.training.backtest import Backtest, bridge_with_nearest

Float64Array = NDArray[np.float64]

METHODS = ("SES", "AutoETS", "AutoARIMA", "Theta", "MSTL", "MSTL+ARIMA")
# The most readings that a method is fitted on. Enough for two seasons of hourly data; more make a fit very slow.
MAX_READINGS = 2_000
# Within these limits a method is fitted again at every origin. Beyond them it is fitted once before the test part and
# then only updated, because a fit on many readings changes little.
MAX_REFITS = 50
MAX_REFIT_READINGS = 500
# Longer seasons are ignored: the search of AutoARIMA would take hours, and ETS does not support them.
MAX_MODEL_SEASON = 24
# For longer seasons AutoARIMA compares candidates by an approximation and fits the chosen one exactly, as `auto.arima`
# of R does, because the exact search is very slow.
MAX_EXACT_SEASON = 12
# Part of the cache key. Increase it when a change affects results.
PROTOCOL = 2
# Seconds between progress reports.
PROGRESS_S = 0.5
# Slow methods start first, so that none of them runs alone at the end.
SLOWEST_FIRST = ("AutoARIMA", "MSTL+ARIMA", "MSTL", "AutoETS", "Theta", "SES")


@dataclass(frozen=True)
class Task:
    """One method on one series. values: (readings,), NaN if missing. at: (origins,) positions in `values`."""

    method: str
    name: str
    values: Float64Array
    at: NDArray[np.int64]
    before: int
    horizon: int
    seasons: tuple[int, ...]

    def key(self) -> str:
        """The cache key: a hash of everything that determines the result."""
        digest = hashlib.sha256(self.values.tobytes() + self.at.tobytes())
        facts = (self.method, self.before, self.horizon, self.seasons, PROTOCOL, version("statsforecast"))
        digest.update(json.dumps(facts).encode())
        return digest.hexdigest()

    @property
    def fits_once(self) -> bool:
        """Whether the method is fitted once and then only updated."""
        return len(self.at) > MAX_REFITS or self.before > MAX_REFIT_READINGS

    def history(self, origin: int) -> Float64Array:
        """The readings that the method sees at an origin: the last MAX_READINGS before it, with gaps bridged: (n,)."""
        return bridge_with_nearest(self.values[max(0, origin - MAX_READINGS) : origin])


def tasks(
    backtests: Sequence[tuple[Backtest, tuple[int, ...]]], methods: Sequence[str] = METHODS
) -> list[Task]:
    """One task per series and method.

    backtests: each with the seasons of its series. Without a season MSTL equals its trend method, so it is skipped.
    """
    found = []
    for backtest, seasons in backtests:
        series, horizon = backtest.series, backtest.actuals.shape[1]
        for method in methods:
            if not seasons and method.startswith("MSTL"):
                continue
            found.append(
                Task(method, series.name, series.values, backtest.at, backtest.before, horizon, seasons)
            )
    return found


def forecasts(
    wanted: Sequence[Task],
    cache: Path,
    workers: int,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Iterator[tuple[Task, Float64Array | str]]:
    """Yield each task with its forecasts (origins, horizon, 3), or with the reason for a failure, as they finish.

    progress: called with the number of finished origins and of all origins, at each result and every PROGRESS_S.
    """
    waiting, kept_origins = [], 0
    for task in wanted:
        kept = _read(cache, task)
        if kept is None:
            waiting.append(task)
        else:
            kept_origins += len(task.at)
            yield task, kept
    of = sum(len(task.at) for task in wanted)
    progress(kept_origins, of)
    if not waiting:
        return
    waiting.sort(key=lambda task: SLOWEST_FIRST.index(task.method))
    # Spawned, because TensorFlow's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    counter = context.Value("q", 0)
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(
        min(workers, len(waiting)), mp_context=context, initializer=_begin_worker, initargs=(counter,)
    ) as pool:
        pending = {pool.submit(_run_counted, task): task for task in waiting}
        try:
            while pending:
                for future in wait(pending, PROGRESS_S, FIRST_COMPLETED).done:
                    task = pending.pop(future)
                    try:
                        result: Float64Array | str = future.result()
                        _write(cache, task, np.asarray(result))
                    except Exception as error:  # a method may raise anything; the others continue
                        result = f"{type(error).__name__}: {error}"
                    yield task, result
                progress(kept_origins + counter.value if pending else of, of)
        except BaseException:
            # Do not wait for fits that take a minute. Finished results are in the cache.
            pool.shutdown(wait=False, cancel_futures=True)
            ours = set(multiprocessing.active_children()) - others
            for process in ours:
                process.terminate()
            for process in ours:
                process.join()
            raise


# The number of finished origins of all workers. Set in each worker.
_counter: Any = None


def _begin_worker(counter: Any) -> None:
    global _counter
    _counter = counter
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C reaches the whole group; exit without a traceback
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait_for_end() -> None:
        """Exit when the parent is killed; otherwise the worker would continue for minutes."""
        parent.join()
        os._exit(1)

    threading.Thread(target=wait_for_end, daemon=True).start()


def _run_counted(task: Task) -> Float64Array:
    counted = 0

    def count(origins: int) -> None:
        nonlocal counted
        with _counter.get_lock():
            _counter.value += origins
        counted += origins

    try:
        return run(task, lambda: count(1))
    finally:
        count(len(task.at) - counted)  # the rest, if the method failed


def run(task: Task, on_origin: Callable[[], None] = lambda: None) -> Float64Array:
    """The forecasts of one task: (origins, horizon, 3): the 80 % band's low, the mean, and its high.

    on_origin: called after each origin. Raises ValueError for forecasts that are not finite, or what the method
    raises.
    """
    warnings.simplefilter("ignore")
    model = model_of(task.method, task.seasons)
    if task.fits_once:
        model = model.fit(task.history(task.before))
    forecast = model.forward if task.fits_once else model.forecast
    rows = []
    for origin in task.at:
        result = forecast(y=task.history(origin), h=task.horizon, level=[80])
        rows.append(np.stack([result["lo-80"], result["mean"], result["hi-80"]], axis=1))
        on_origin()
    stacked = np.array(rows, dtype=np.float64)
    if not np.isfinite(stacked).all():
        raise ValueError("its forecasts are not finite")
    return stacked


def model_of(method: str, seasons: tuple[int, ...]) -> Any:
    """The statsforecast model of a method. seasons: lengths in steps, ascending."""
    from statsforecast.models import MSTL, AutoARIMA, AutoETS, Theta

    short = seasons[0] if seasons and seasons[0] <= MAX_MODEL_SEASON else 1
    if method == "SES":
        return AutoETS(season_length=1, model="ANN")
    if method == "AutoETS":
        return AutoETS(season_length=short)
    if method == "AutoARIMA":
        return AutoARIMA(season_length=short, approximation=short > MAX_EXACT_SEASON)
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
    """Cache a result. Errors are ignored: the next run computes it again."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        handle, unnamed = tempfile.mkstemp(dir=cache, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            np.save(file, result)
        os.replace(unnamed, cache / f"{task.key()}.npy")
    except OSError:
        return
