"""The classical methods of statsforecast over rolling origins: in parallel, and each result kept for the next run."""

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
# What a method is fitted on: enough for forty days of hours with two seasons; more costs minutes a fit.
MAX_READINGS = 2_000
# Up to so many origins, on up to so many readings, a method is fitted anew at each; beyond, once before the test, and
# then only brought up to date: a fit on many readings changes little within a test.
MAX_REFITS = 50
MAX_REFIT_READINGS = 500
# Longer seasons make AutoARIMA's search run for hours; it then has none, as ETS refuses more than 24 by itself.
MAX_MODEL_SEASON = 24
# Above it AutoARIMA compares its candidates by an approximation and fits the chosen one exactly, as R's `auto.arima`
# does by itself: 10 s for a day of hours on 2,000 readings, where the exact search took more than 6 minutes.
MAX_EXACT_SEASON = 12
# Part of the cache's key: raise it when a result would come out otherwise.
PROTOCOL = 2
# Seconds between two looks at how far the workers are.
LOOK_S = 0.5
# The slowest first, so that none of them is begun when all others are done.
SLOWEST_FIRST = ("AutoARIMA", "MSTL+ARIMA", "MSTL", "AutoETS", "Theta", "SES")


@dataclass(frozen=True)
class Task:
    """One method on one series. values: readings, NaN where missing; at: the origins."""

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

    @property
    def fits_once(self) -> bool:
        return len(self.at) > MAX_REFITS or self.before > MAX_REFIT_READINGS

    def history(self, origin: int) -> Float64Array:
        """What the method is given at an origin: the last readings before it, gaps bridged with these alone."""
        return bridge_with_nearest(self.values[max(0, origin - MAX_READINGS) : origin])


def tasks(
    backtests: Sequence[tuple[Backtest, tuple[int, ...]]], methods: Sequence[str] = METHODS
) -> list[Task]:
    """backtests: each with the seasons of its series. Without one MSTL is its trend's method: not run twice."""
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
    """Each task with its forecasts (origins, horizon, 3), or the reason why there are none, as they are done.

    progress: called twice a second and with each result, with how many origins of all tasks are done, and of how
    many."""
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
    # Spawned, not forked: TensorFlow's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    counter = context.Value("q", 0)
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(
        min(workers, len(waiting)), mp_context=context, initializer=_begin_worker, initargs=(counter,)
    ) as pool:
        pending = {pool.submit(_run_counted, task): task for task in waiting}
        try:
            while pending:
                for future in wait(pending, LOOK_S, FIRST_COMPLETED).done:
                    task = pending.pop(future)
                    try:
                        result: Float64Array | str = future.result()
                        _write(cache, task, np.asarray(result))
                    except Exception as error:  # a method may fail on a series in any way; the others go on
                        result = f"{type(error).__name__}: {error}"
                    yield task, result
                progress(kept_origins + counter.value if pending else of, of)
        except BaseException:
            # Nobody waits for a fit that takes a minute. What is done is kept for the next run.
            pool.shutdown(wait=False, cancel_futures=True)
            ours = set(multiprocessing.active_children()) - others
            for process in ours:
                process.terminate()
            for process in ours:
                process.join()
            raise


# How many origins are done, over all workers: set in each worker.
_counter: Any = None


def _begin_worker(counter: Any) -> None:
    global _counter
    _counter = counter
    signal.signal(
        signal.SIGINT, signal.SIG_DFL
    )  # Ctrl-C reaches the whole group: end at once, without a trace
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait_for_end() -> None:
        """A worker whose parent was killed would go on fitting for minutes."""
        parent.join()
        os._exit(1)

    threading.Thread(target=wait_for_end, daemon=True).start()


def _run_counted(task: Task) -> Float64Array:
    told = 0

    def tell(origins: int) -> None:
        nonlocal told
        with _counter.get_lock():
            _counter.value += origins
        told += origins

    try:
        return run(task, lambda: tell(1))
    finally:
        tell(len(task.at) - told)  # of a method that failed


def run(task: Task, tell: Callable[[], None] = lambda: None) -> Float64Array:
    """The forecasts of one task: (origins, horizon, 3). tell: called after each origin."""
    warnings.simplefilter("ignore")
    model = _model(task.method, task.seasons)
    if task.fits_once:
        model = model.fit(task.history(task.before))
    ask = model.forward if task.fits_once else model.forecast
    rows = []
    for origin in task.at:
        answer = ask(y=task.history(origin), h=task.horizon, level=[80])
        rows.append(np.stack([answer["lo-80"], answer["mean"], answer["hi-80"]], axis=1))
        tell()
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
    """A cache that cannot be written costs the next run time, nothing else."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        handle, unnamed = tempfile.mkstemp(dir=cache, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            np.save(file, result)
        os.replace(unnamed, cache / f"{task.key()}.npy")
    except OSError:
        return
