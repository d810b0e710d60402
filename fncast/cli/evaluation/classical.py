"""Adds the forecasts of the classical methods of statsforecast to an evaluation."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from fncast.cli.output.messages import say
from fncast.cli.output.progress import Progress
from fncast.failure import Failure

if TYPE_CHECKING:
    from model_service.training.evaluation.evaluation import Evaluation


def add_classical(evaluation: Evaluation, cache: Path, workers: int | None = None) -> None:
    """Add the forecasts of the classical methods, with progress and failed methods on stderr.

    cache: folder for their results. workers: number of processes, None for one for each core. Raises Failure.
    """
    if find_spec("statsforecast") is None:
        raise Failure(
            "classical methods need statsforecast: pip install '.[evaluation]' in fncast's repository"
        )
    from model_service.training.evaluation.classical import METHODS, tasks
    from model_service.training.evaluation.classical_runs import run_all

    wanted = tasks([(each.backtest, each.seasons) for each in evaluation.series])
    by_name = {each.name: each for each in evaluation.series}
    progress = Progress("classical methods", "forecasts")
    results = list(run_all(wanted, cache, workers or os.cpu_count() or 1, progress))
    results.sort(key=lambda result: METHODS.index(result[0].method))  # the order of the tables
    for task, forecast in results:
        if isinstance(forecast, str):
            say(f"{task.method} on {task.name} failed: {forecast}")
        else:
            by_name[task.name].add(task.method, forecast)
    for each in evaluation.series:  # without a season, MSTL is its trend method alone
        for method, trend in (("MSTL", "AutoETS"), ("MSTL+ARIMA", "AutoARIMA")):
            if not each.seasons and trend in each.scores:
                each.add(method, each.forecasts[trend])


def default_cache() -> Path:
    """The user's cache folder of fncast (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fncast"
