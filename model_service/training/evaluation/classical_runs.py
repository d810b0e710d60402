"""Runs classical backtests in parallel processes, and caches each result."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any

import numpy as np

from fncast.series.window import Float64Array
from model_service.training.evaluation.classical import Task, run

# Seconds between progress reports.
PROGRESS_S = 0.5
# Slow methods start first, so that none of them runs alone at the end.
SLOWEST_FIRST = ("AutoARIMA", "MSTL+ARIMA", "MSTL", "AutoETS", "Theta", "SES")


def run_all(
    wanted: Sequence[Task],
    cache: Path,
    workers: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
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
    total = sum(len(task.at) for task in wanted)
    progress(kept_origins, total)
    if not waiting:
        return
    waiting.sort(key=lambda task: SLOWEST_FIRST.index(task.method))
    yield from _run_in_processes(waiting, cache, workers, lambda done: progress(kept_origins + done, total))


def _run_in_processes(
    waiting: Sequence[Task], cache: Path, workers: int, progress: Callable[[int], None]
) -> Iterator[tuple[Task, Float64Array | str]]:
    """Run tasks, yield each as in `run_all`, and cache the results. progress: called with the finished origins."""
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
                progress(counter.value if pending else sum(len(task.at) for task in waiting))
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
    """Prepare a worker process. counter: of the finished origins of all workers."""
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
    """Run a task in a worker, and count its origins. Raises what `run` raises."""
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


def _read(cache: Path, task: Task) -> Float64Array | None:
    """The cached forecasts of a task; None if there are none, or the file is damaged."""
    try:
        with (cache / f"{task.key()}.npy").open("rb") as file:
            # Not np.load: it raises other errors for an empty file, and for one that looks like a ZIP file.
            kept = np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, ValueError):
        return None
    return np.asarray(kept) if kept.shape == (len(task.at), task.horizon, 3) else None


def _write(cache: Path, task: Task, result: Float64Array) -> None:
    """Cache a result. Errors are ignored: the next run computes it again."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=cache, suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                np.save(file, result)
            os.replace(temporary, cache / f"{task.key()}.npy")
        except OSError:
            os.unlink(temporary)
    except OSError:
        return
