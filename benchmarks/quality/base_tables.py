"""The tables of the base model beside other methods, each with the figures that have a goal.

methods: the forecast of each method, by name. All series are generated.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.quality import unseen
from benchmarks.quality.bands import with_outage
from benchmarks.quality.methods import (
    BASE,
    DAY,
    MIDDLE,
    Method,
    coverage,
    error,
    geometric_mean,
    median_of_12,
    pinball,
)
from fncast.series.window import Float64Array
from model_service.training.evaluation.report import table
from model_service.training.generated.seasonal_series import generate_seasonal

HISTORY, HORIZON = 64, 12
SEED = 20_261_202
GAPS = (0, 3, 6, 12, 24)
GAP_HISTORY = 48
HISTORIES = (8, 16, 24, 48)


def kinds(methods: dict[str, Method], series: int) -> tuple[str, dict[str, dict[str, float]]]:
    """The pinball loss relative to the seasonal naive one, and the band of the model, by kind."""
    rng = np.random.default_rng(SEED)
    rows, found = [], {}
    for kind in unseen.KINDS:
        every = np.stack([kind(rng, 200 + HISTORY + HORIZON)[200:] for _ in range(series)])
        windows, actual = every[:, :HISTORY], every[:, HISTORY:]
        forecasts = {name: method(windows, HORIZON) for name, method in methods.items()}
        naive = pinball(forecasts["seasonal naive"], actual)
        losses = {name: pinball(forecast, actual) / naive for name, forecast in forecasts.items()}
        found[kind.__name__] = {**losses, "band": coverage(forecasts[BASE], actual)}
        rows.append(
            [
                kind.__name__,
                *(f"{loss:.3f}" for loss in losses.values()),
                f"{found[kind.__name__]['band']:.3f}",
            ]
        )
    means = {name: geometric_mean([losses[name] for losses in found.values()]) for name in methods}
    band = float(np.mean([figures["band"] for figures in found.values()]))
    found["mean"] = {**means, "band": band}
    rows.append(["mean", *(f"{mean:.3f}" for mean in means.values()), f"{band:.3f}"])
    return table(["kind", *methods, "80 % band"], rows), found


def gaps(methods: dict[str, Method], series: int) -> tuple[str, dict[int, float]]:
    """The error with an outage relative to the base model's without, by missing readings of a daily season."""
    windows, actual = daily(series, GAP_HISTORY)
    rng = np.random.default_rng(SEED)
    rows, found = [], {}
    sizes = np.nanmean(np.abs(windows - np.median(windows, axis=1, keepdims=True)), axis=1)
    whole = error(methods[BASE](windows, HORIZON), actual, sizes)
    for gap in GAPS:
        broken = with_outage(rng, windows, gap)
        forecasts = {name: method(broken, HORIZON) for name, method in methods.items()}
        errors = {name: error(forecast, actual, sizes) / whole for name, forecast in forecasts.items()}
        found[gap] = errors[BASE]
        band = coverage(forecasts[BASE], actual)
        rows.append(
            [f"{gap} of {GAP_HISTORY}", *(f"{value:.2f}" for value in errors.values()), f"{band:.3f}"]
        )
    return table(["missing", *methods, "80 % band"], rows), found


def histories(methods: dict[str, Method], series: int) -> tuple[str, dict[int, float]]:
    """The error relative to the last value's, by the number of readings of a daily season."""
    rows, found = [], {}
    for history in HISTORIES:
        windows, actual = daily(series, history)
        forecasts = {name: method(windows, HORIZON) for name, method in methods.items()}
        naive = np.abs(forecasts["last value"][:, :, MIDDLE] - actual).mean()
        errors = {
            name: np.abs(forecast[:, :, MIDDLE] - actual).mean() / naive
            for name, forecast in forecasts.items()
        }
        found[history] = float(errors[BASE])
        band = coverage(forecasts[BASE], actual)
        rows.append([str(history), *(f"{value:.3f}" for value in errors.values()), f"{band:.3f}"])
    return table(["readings", *methods, "80 % band"], rows), found


def spikes(methods: dict[str, Method], series: int) -> tuple[str, tuple[float, float]]:
    """The error after a spike in the last reading that does not last, relative to the median of the last 12."""
    rng = np.random.default_rng(SEED)
    every = rng.normal(size=(series, HISTORY + HORIZON))
    every += rng.uniform(0, 20, size=(series, 1))
    windows, actual = every[:, :HISTORY].copy(), every[:, HISTORY:]
    windows[:, -1] += rng.choice([-1, 1], size=series) * rng.uniform(5, 12, size=series)
    forecasts = {name: method(windows, HORIZON) for name, method in methods.items()}
    reference = np.abs(median_of_12(windows, HORIZON)[:, :, MIDDLE] - actual).mean()
    errors = {
        name: np.abs(forecast[:, :, MIDDLE] - actual).mean() / reference
        for name, forecast in forecasts.items()
    }
    band = coverage(forecasts[BASE], actual)
    row = ["spike", *(f"{value:.3f}" for value in errors.values()), f"{band:.3f}"]
    return table(["last reading", *methods, "80 % band"], [row]), (float(errors[BASE]), band)


def counts(losses: dict[str, dict[str, float]], methods: Sequence[str]) -> tuple[str, float]:
    """The pinball loss of the kinds of counts, from `kinds`, and that of the base model."""
    means = {name: geometric_mean([losses[kind][name] for kind in unseen.COUNTS]) for name in methods}
    band = float(np.mean([losses[kind]["band"] for kind in unseen.COUNTS]))
    row = [" and ".join(unseen.COUNTS), *(f"{mean:.3f}" for mean in means.values()), f"{band:.3f}"]
    return table(["counts", *methods, "80 % band"], [row]), means[BASE]


def negatives(method: Method, series: int) -> int:
    """How many series that were never negative get a negative forecast."""
    rng = np.random.default_rng(SEED)
    kinds_of_counts = [kind for kind in unseen.KINDS if kind.__name__ in unseen.COUNTS]
    every = np.stack([kind(rng, HISTORY) for kind in kinds_of_counts for _ in range(series)])
    return int((method(every, HORIZON) < 0).any(axis=(1, 2)).sum())


def daily(series: int, history: int) -> tuple[Float64Array, Float64Array]:
    """Hourly series with a day and a week: windows (series, history), and the readings that follow."""
    every = np.stack(generate_seasonal(series, 500, DAY, 7 * DAY, SEED))
    return every[:, 400 - history : 400], every[:, 400 : 400 + HORIZON]
