"""What a model expected of each reading of a series before the reading came."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fncast.cli.detection.local_model import BATCH, LocalModel

Float64Array = NDArray[np.float64]


@dataclass(frozen=True)
class StepForecasts:
    """near, far: (readings, 3) median and band of each reading, by the last forecast before it and by the first that
    includes it. NaN where there is none.
    """

    near: Float64Array
    far: Float64Array


def step_forecasts(model: LocalModel, values: Float64Array) -> StepForecasts:
    """The forecasts of each reading. values: (readings,), NaN for a missing reading.

    A reading after a gap has no near forecast until one reading has come again.
    """
    parts = [part for _, part in forecast_parts(model, [values])]
    return StepForecasts(
        np.concatenate([part.near for part in parts]), np.concatenate([part.far for part in parts])
    )


def forecast_parts(
    model: LocalModel, every: Sequence[Float64Array]
) -> Generator[tuple[int, StepForecasts], None, None]:
    """Yield the forecasts of many series in parts, each with the number of its series: (0, the forecasts of its first
    readings), (0, those of its next readings), and so on.

    The model runs ahead in threads. Close the generator to end them early.

    every: of each series the readings, as in `step_forecasts`.
    """
    begins = [(number, begin) for number, values in enumerate(every) for begin in model.begins(len(values))]

    def score(batch: tuple[int, int]) -> tuple[NDArray[np.int64], Float64Array, NDArray[np.int64]]:
        numbers, windows = model.batch(every[batch[0]], batch[1])
        return numbers, *model.ends(windows)

    pool = ThreadPoolExecutor(model.threads)
    try:
        scored = pool.map(score, begins)
        for number, values in enumerate(every):
            near, far = np.full((2, len(values), 3), np.nan)
            done = 0
            for begin in model.begins(len(values)):
                numbers, ends, steps = next(scored)
                near[numbers] = ends[:, 0]
                last = numbers + steps - 1
                reached = last < len(values)
                far[last[reached]] = ends[reached, 1]
                end = min(begin + BATCH, len(values))
                yield number, _part(near, far, done, end)
                done = end
            if done < len(values):
                yield number, _part(near, far, done, len(values))
    finally:
        pool.shutdown(cancel_futures=True)


def _part(near: Float64Array, far: Float64Array, begin: int, end: int) -> StepForecasts:
    """The forecasts of the readings from `begin` to before `end`."""
    part = StepForecasts(near[begin:end], far[begin:end])
    without = np.isnan(part.far[:, 0])
    part.far[without] = part.near[without]
    return part
