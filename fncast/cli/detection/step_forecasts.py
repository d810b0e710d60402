"""The forecasts of each reading of a series, from the windows before the reading."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fncast.cli.detection.local_model import BATCH, LocalModel
from fncast.series.window import Float64Array


@dataclass(frozen=True)
class StepForecasts:
    """Two forecasts of each reading: median, low and high.

    near: (readings, 3), from the last window before the reading, one step ahead. far: (readings, 3), from the window
    that is a whole horizon before it, or `near` where there is none. NaN where there is no forecast.
    """

    near: Float64Array
    far: Float64Array


def step_forecasts(model: LocalModel, values: Float64Array) -> StepForecasts:
    """The forecasts of each reading. values: (readings,), NaN for a missing reading.

    The first reading after a gap has no near forecast.
    """
    parts = [part for _, part in forecast_parts(model, [values])]
    return StepForecasts(
        np.concatenate([part.near for part in parts]), np.concatenate([part.far for part in parts])
    )


def forecast_parts(
    model: LocalModel, every_series: Sequence[Float64Array]
) -> Generator[tuple[int, StepForecasts], None, None]:
    """Yield the forecasts of many series in parts: each is the index of a series, and forecasts of its next readings.

    The parts of a series follow each other, from its first reading to its last. The model runs ahead in threads. Close
    the generator to end them early.

    every_series: the readings of each series, as in `step_forecasts`.
    """
    batches = [(values, begin) for values in every_series for begin in model.batch_begins(len(values))]

    def score(
        batch: tuple[Float64Array, int],
    ) -> tuple[NDArray[np.int64], Float64Array, NDArray[np.int64]]:
        """The numbers of the batch's windows, and what `first_and_last_steps` returns for them."""
        numbers, windows = model.batch(*batch)
        return numbers, *model.first_and_last_steps(windows)

    pool = ThreadPoolExecutor(model.threads)
    try:
        scored = pool.map(score, batches)
        for index, values in enumerate(every_series):
            near, far = np.full((2, len(values), 3), np.nan)
            done = 0
            for begin in model.batch_begins(len(values)):
                numbers, ends, steps = next(scored)
                near[numbers] = ends[:, 0]  # a window's number is the index of the reading after it
                last = numbers + steps - 1
                reached = last < len(values)
                far[last[reached]] = ends[reached, 1]
                end = min(begin + BATCH, len(values))
                yield index, _part(near, far, done, end)
                done = end
            if done < len(values):
                yield index, _part(near, far, done, len(values))
    finally:
        pool.shutdown(cancel_futures=True)


def _part(near: Float64Array, far: Float64Array, begin: int, end: int) -> StepForecasts:
    """The forecasts of the readings from `begin` to before `end`, with near ones for missing far ones."""
    part = StepForecasts(near[begin:end], far[begin:end])
    lacks_far = np.isnan(part.far[:, 0])
    part.far[lacks_far] = part.near[lacks_far]
    return part
