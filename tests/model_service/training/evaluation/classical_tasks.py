"""Tasks of two classical methods on a monthly series."""

from datetime import UTC, datetime

import numpy as np

from fncast.series.step import Step
from fncast.series.time_series import TimeSeries
from model_service.training.evaluation.backtest import rolling_origins
from model_service.training.evaluation.classical import Task, tasks


def monthly(name: str) -> TimeSeries:
    at = np.arange(120)
    values = 10 + 0.1 * at + np.sin(2 * np.pi * at / 12) + 0.05 * np.random.default_rng(0).normal(size=120)
    values[50] = np.nan
    return TimeSeries(name, datetime(2016, 1, 1, tzinfo=UTC), Step.calendar("P1M"), values)


def two_tasks() -> list[Task]:
    """The tasks of SES and Theta, at three origins."""
    backtest = rolling_origins(monthly("sales"), window=24, horizon=6, before=100, stride=6)
    return tasks([(backtest, (12,))], methods=("SES", "Theta"))
