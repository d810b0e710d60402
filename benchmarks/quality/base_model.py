"""Measures the base model without training, beside naive and classical methods: series of unseen kinds,
missing readings, short histories and spikes. All series are generated, so the tables can be repeated anywhere.

`python -m benchmarks.quality.base_model [--series N] [--no-classical]`; `make quality` runs it too."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality import unseen
from fncast import models
from model_service.training.base.forecaster import BaseForecaster
from model_service.training.base.shape import QUANTILES
from model_service.training.report import table
from model_service.training.seasonal_series import generate_seasonal

Float64Array = NDArray[np.float64]
Method = Callable[[Float64Array, int], Float64Array]

HISTORY, HORIZON = 64, 12
SEED = 20_261_128
DAY = 24
GAPS = (0, 3, 6, 12, 24)
GAP_HISTORY = 48
HISTORIES = (8, 16, 24, 48)
LOW, MIDDLE, HIGH = 0, 4, 8  # of the nine quantiles


@dataclass(frozen=True)
class Figure:
    """A figure that needs no held-back data. goal: its maximum."""

    name: str
    value: float
    goal: float

    @property
    def is_met(self) -> bool:
        return self.value <= self.goal


def base_method() -> Method:
    """The base model that comes with fncast."""
    folder = max((models.FOLDER / models.BASE).glob("[0-9]*"), key=lambda path: int(path.name))
    return BaseForecaster(folder).forecast


def last_value(windows: Float64Array, horizon: int) -> Float64Array:
    return _same(np.repeat(_last(windows), horizon, axis=1))


def seasonal_naive(windows: Float64Array, horizon: int, season: int = DAY) -> Float64Array:
    """The readings one season before; the last value where there are fewer or one is missing."""
    if windows.shape[1] < season:
        return last_value(windows, horizon)
    past = windows[:, -season:][:, np.arange(horizon) % season]
    return _same(np.where(np.isnan(past), _last(windows), past))


def median_of_12(windows: Float64Array, horizon: int) -> Float64Array:
    """The quantiles of the last 12 known readings."""
    levels = np.stack([np.quantile(row[~np.isnan(row)][-12:], QUANTILES) for row in windows])
    return np.repeat(levels[:, np.newaxis, :], horizon, axis=1)


def classical(name: str, season: int = DAY) -> Method:
    """A method of statsforecast, fitted to each window; gaps are bridged by a line."""
    from statsforecast.models import AutoETS, Theta

    def forecast(windows: Float64Array, horizon: int) -> Float64Array:
        warnings.simplefilter("ignore")
        result = np.empty((len(windows), horizon, len(QUANTILES)))
        levels = [20, 40, 60, 80]
        for row, window in enumerate(windows):
            known = ~np.isnan(window)
            first = int(known.argmax())
            at = np.arange(len(window))
            filled = np.interp(at, at[known], window[known])[first:]
            length = season if len(filled) >= 2 * season else 1
            model = AutoETS(season_length=length) if name == "AutoETS" else Theta(season_length=length)
            found = model.forecast(y=filled, h=horizon, level=levels)
            lows = [found[f"lo-{level}"] for level in reversed(levels)]
            highs = [found[f"hi-{level}"] for level in levels]
            result[row] = np.stack([*lows, found["mean"], *highs], axis=1)
        return result

    return forecast


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
        found[kind.__name__] = {**losses, "band": coverage(forecasts["base model"], actual)}
        rows.append(
            [
                kind.__name__,
                *(f"{loss:.3f}" for loss in losses.values()),
                f"{found[kind.__name__]['band']:.3f}",
            ]
        )
    means = {name: geometric_mean([one[name] for one in found.values()]) for name in methods}
    band = float(np.mean([one["band"] for one in found.values()]))
    found["mean"] = {**means, "band": band}
    rows.append(["mean", *(f"{mean:.3f}" for mean in means.values()), f"{band:.3f}"])
    return table(["kind", *methods, "80 % band"], rows), found


def gaps(methods: dict[str, Method], series: int) -> tuple[str, dict[int, float]]:
    """The error with an outage relative to the base model's without, by missing readings of a daily season."""
    windows, actual = daily(series, GAP_HISTORY)
    rng = np.random.default_rng(SEED)
    rows, found = [], {}
    sizes = np.nanmean(np.abs(windows - np.median(windows, axis=1, keepdims=True)), axis=1)
    whole = error(methods["base model"](windows, HORIZON), actual, sizes)
    for gap in GAPS:
        broken = windows.copy()
        for row in broken:
            at = int(rng.integers(0, GAP_HISTORY - gap + 1))
            row[at : at + gap] = np.nan
        forecasts = {name: method(broken, HORIZON) for name, method in methods.items()}
        errors = {name: error(one, actual, sizes) / whole for name, one in forecasts.items()}
        found[gap] = errors["base model"]
        band = coverage(forecasts["base model"], actual)
        rows.append([f"{gap} of {GAP_HISTORY}", *(f"{one:.2f}" for one in errors.values()), f"{band:.3f}"])
    return table(["missing", *methods, "80 % band"], rows), found


def histories(methods: dict[str, Method], series: int) -> tuple[str, dict[int, float]]:
    """The error relative to the last value's, by the number of readings of a daily season."""
    rows, found = [], {}
    for history in HISTORIES:
        windows, actual = daily(series, history)
        forecasts = {name: method(windows, HORIZON) for name, method in methods.items()}
        naive = np.abs(forecasts["last value"][:, :, MIDDLE] - actual).mean()
        errors = {name: np.abs(one[:, :, MIDDLE] - actual).mean() / naive for name, one in forecasts.items()}
        found[history] = float(errors["base model"])
        band = coverage(forecasts["base model"], actual)
        rows.append([str(history), *(f"{one:.3f}" for one in errors.values()), f"{band:.3f}"])
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
    errors = {name: np.abs(one[:, :, MIDDLE] - actual).mean() / reference for name, one in forecasts.items()}
    band = coverage(forecasts["base model"], actual)
    row = ["spike", *(f"{one:.3f}" for one in errors.values()), f"{band:.3f}"]
    return table(["last reading", *methods, "80 % band"], [row]), (float(errors["base model"]), band)


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


def pinball(forecast: Float64Array, actual: Float64Array) -> float:
    """The mean over series of the quantile loss, each in units of the size of its readings."""
    difference = actual[:, :, np.newaxis] - forecast
    levels = np.array(QUANTILES)
    losses = np.maximum(levels * difference, (levels - 1) * difference).mean(axis=(1, 2))
    return float(losses.mean())


def error(forecast: Float64Array, actual: Float64Array, sizes: Float64Array) -> float:
    """The mean absolute error of the median, each series in units of its size."""
    return float((np.abs(forecast[:, :, MIDDLE] - actual).mean(axis=1) / sizes).mean())


def coverage(forecast: Float64Array, actual: Float64Array) -> float:
    """The share of readings between the quantiles 0.1 and 0.9."""
    return float(((actual >= forecast[:, :, LOW]) & (actual <= forecast[:, :, HIGH])).mean())


def geometric_mean(values: Sequence[float]) -> float:
    return float(np.exp(np.mean(np.log(np.maximum(values, 1e-12)))))


def _last(windows: Float64Array) -> Float64Array:
    """The last known reading of each window: (count, 1)."""
    known = ~np.isnan(windows)
    latest = windows.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    return np.asarray(windows[np.arange(len(windows)), latest][:, np.newaxis])


def _same(point: Float64Array) -> Float64Array:
    return np.repeat(point[:, :, np.newaxis], len(QUANTILES), axis=2)


def report(series: int, with_classical: bool) -> str:
    """All tables, and the figures that have a goal."""
    methods: dict[str, Method] = {
        "base model": base_method(),
        "last value": last_value,
        "seasonal naive": seasonal_naive,
        "quantiles of 12": median_of_12,
    }
    if with_classical:
        methods |= {name: classical(name) for name in ("AutoETS", "Theta")}
    by_kind, losses = kinds(methods, series)
    by_gap, with_gaps = gaps(methods, series)
    by_history, with_few = histories(methods, series)
    by_spike, (after_spike, band) = spikes(methods, series)
    figures = [
        Figure("unseen kinds: pinball loss relative to seasonal naive", losses["mean"]["base model"], 0.60),
        Figure("12 of 48 readings missing: error relative to none", with_gaps[12], 1.15),
        *(
            Figure(f"{history} readings: error relative to the last value", with_few[history], goal)
            for history, goal in ((8, 1.0), (16, 0.9), (24, 0.8))
        ),
        Figure("spike in the last reading: error relative to the median of 12", after_spike, 1.05),
        Figure("spike in the last reading: readings outside of the 80 % band", 1 - band, 0.25),
        Figure("unseen kinds: distance of the 80 % band from 0.80", abs(losses["mean"]["band"] - 0.8), 0.02),
        Figure(
            "series that were never negative with a negative forecast",
            negatives(methods["base model"], series),
            0,
        ),
    ]
    rows = [
        [one.name, f"{one.value:.3f}", f"≤ {one.goal:.2f}", "yes" if one.is_met else "no"] for one in figures
    ]
    parts = [
        f"Kinds of series that the base model never saw, {series} each: pinball loss relative to seasonal naive",
        by_kind,
        "An outage in two days of hours: error relative to the base model without an outage",
        by_gap,
        "Short histories of a daily season: error relative to the last value",
        by_history,
        "A spike in the last reading that does not last: error relative to the median of the last 12",
        by_spike,
        "Goals",
        table(["figure", "base model", "goal", "met"], rows),
    ]
    return "\n\n".join(parts)


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.quality.base_model", description=__doc__)
    parser.add_argument("--series", type=int, default=60, help="of each kind (default: %(default)s)")
    parser.add_argument("--no-classical", action="store_true", help="leave out AutoETS and Theta")
    arguments = parser.parse_args(words)
    print(report(arguments.series, not arguments.no_classical))
    return 0


if __name__ == "__main__":
    sys.exit(main())
