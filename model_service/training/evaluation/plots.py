"""Plots of a training run and of a backtest, each as PNG and SVG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fncast.foreign_text import clean
from model_service.training.evaluation.evaluation import (
    LAST_READINGS,
    LAST_VALUE,
    LONGEST_SEASONAL,
    MODEL,
    SEASONAL,
    Evaluation,
    SeriesEvaluation,
)
from model_service.training.settings import QUANTILES
from model_service.training.trained import Epoch

ACTUAL, FORECAST, OTHER, THIRD = "#1f5fa8", "#c8322b", "#7a7a7a", "#3b8c5a"
# Readings shown in the plot of a series; more are not legible.
MAX_SHOWN = 240
MAX_NAME = 40  # characters of a series name in a title
# How far an axis may extend beyond the usual range (2 % to 98 % quantile), as a share of this range.
BEYOND_USUAL = 0.6
_STYLE: Any = {
    "figure.dpi": 120,
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "svg.hashsalt": "fncast",  # equal data give equal files
}


def save_training_plot(history: Sequence[Epoch], folder: Path) -> None:
    """Plot the error by epoch to training.png and training.svg."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(7, 3.6), layout="constrained")
        axes = figure.subplots()
        epochs = [epoch.epoch for epoch in history]
        axes.plot(
            epochs, [epoch.train_error for epoch in history], color=ACTUAL, marker=".", label="training"
        )
        axes.plot(
            epochs,
            [epoch.validation_error for epoch in history],
            color=FORECAST,
            marker=".",
            label="validation",
        )
        axes.axhline(history[-1].naive_error, color=OTHER, linestyle="--", label="last value")
        axes.set(xlabel="epoch", ylabel="pinball loss", title="Error by epoch", ylim=(0, None))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend()
        _save(figure, folder, "training")


def save_backtest_plots(evaluation: Evaluation, folder: Path) -> None:
    """Plot forecast, horizon and calibration as PNG and SVG."""
    if not evaluation.series or MODEL not in evaluation.methods:
        return
    with matplotlib.rc_context(_STYLE):
        _save(forecast_figure(_typical(evaluation)), folder, "forecast")
        _save(error_by_step(evaluation), folder, "horizon")
        _save(_calibration(evaluation), folder, "calibration")


def _typical(evaluation: Evaluation) -> SeriesEvaluation:
    """The series with the median relative error."""
    ranked = sorted(evaluation.series, key=lambda evaluated: evaluated.scores[MODEL].relative_mae or 0.0)
    return ranked[len(ranked) // 2]


def forecast_figure(evaluated: SeriesEvaluation) -> Figure:
    """Actual vs forecast: the non-overlapping forecasts of successive origins, with the band."""
    backtest, series = evaluated.backtest, evaluated.backtest.series
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    horizon = backtest.actuals.shape[1]
    end = int(backtest.at[-1]) + horizon  # a gap or a long stride may leave many readings after it
    shown = [i for i, at in enumerate(backtest.at) if at + horizon > end - MAX_SHOWN]
    begin = max(0, int(backtest.at[shown[0]]) - horizon)
    times = date2num([series.time(i) for i in range(begin, end)])  # type: ignore[no-untyped-call]
    dates = AutoDateLocator()  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(dates)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(dates))  # type: ignore[no-untyped-call]
    free_from = -1
    label: dict[str, Any] = {"label": "forecast (median)"}
    band: dict[str, Any] = {"label": "10–90 % band"}
    for i in shown:
        at = int(backtest.at[i])
        if at < free_from:
            continue
        free_from = at + horizon
        when = times[at - begin : at - begin + horizon]
        low, middle, high = evaluated.forecasts[MODEL][i].T
        axes.fill_between(when, low, high, color=FORECAST, alpha=0.18, linewidth=0, **band)
        axes.plot(when, middle, color=FORECAST, linewidth=1.4, **label)
        label, band = {}, {}
    axes.plot(times, series.values[begin:end], color=ACTUAL, linewidth=1.1, label="actual", zorder=3)
    error = evaluated.scores[MODEL].relative_mae
    suffix = "" if error is None else f" — error {error:.2f} of the last value's"
    # A dollar sign in a name must not start a formula.
    axes.set_title(f"Actual vs Forecast, {clean(series.name, MAX_NAME)}{suffix}", parse_math=False)
    axes.set_ylabel(clean(series.unit or "value", MAX_NAME), parse_math=False)
    axes.set_ylim(*_readable(series.values[begin:end]))
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def _readable(values: Any) -> tuple[float, float]:
    """Limits of an axis. A few extreme bursts are cut off, so that they do not flatten the rest."""
    known = values[~np.isnan(values)]
    low, high = np.quantile(known, [0.02, 0.98])
    beyond = BEYOND_USUAL * (high - low) or 1.0
    return max(low - beyond, known.min() - beyond / 10), min(high + beyond, known.max() + beyond / 10)


def error_by_step(evaluation: Evaluation) -> Figure:
    """Mean absolute error by step of the horizon, relative to the last value over all steps."""
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    axes = figure.subplots()
    steps = np.arange(1, evaluation.horizon + 1)
    styles = {
        MODEL: (FORECAST, "-"),
        LAST_VALUE: (OTHER, "--"),
        SEASONAL: (ACTUAL, ":"),
        LONGEST_SEASONAL: (ACTUAL, "--"),
        LAST_READINGS: (THIRD, "-."),
    }
    for method in (name for name in styles if name in evaluation.methods):
        curves = []
        for evaluated in evaluation.series:
            divisor = evaluated.scores[LAST_VALUE].mae
            if divisor > 0:
                errors = np.abs(evaluated.backtest.actuals - evaluated.forecasts[method][:, :, 1])
                curves.append(_mean(errors) / divisor)
        if curves:
            color, line = styles[method]
            axes.plot(steps, np.nanmedian(curves, axis=0), color=color, linestyle=line, label=method)
    axes.set(
        title="Error by step ahead (median over the series)",
        xlabel="steps ahead",
        ylabel="error / last value's",
        ylim=(0, None),
    )
    # Outside, because the curves leave no free space inside the axes.
    figure.legend(loc="outside lower center", ncols=3)
    return figure


def _calibration(evaluation: Evaluation) -> Figure:
    """The share of readings below each quantile, against the expected share."""
    figure = Figure(figsize=(4.2, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=OTHER, linestyle="--", label="expected")
    shares = []
    for evaluated in evaluation.series:
        actuals = evaluated.backtest.actuals
        below = actuals[:, :, np.newaxis] <= evaluated.forecasts[MODEL]
        shares.append(below[~np.isnan(actuals)].mean(axis=0))
    if len(shares) <= 60:  # too many lines would hide the mean
        for share in shares:
            axes.plot(QUANTILES, share, color=FORECAST, alpha=0.25, linewidth=0.8)
    axes.plot(
        QUANTILES, np.mean(shares, axis=0), color=FORECAST, marker="o", label="observed (mean of series)"
    )
    axes.set(
        title="Calibration", xlabel="quantile", ylabel="share of readings below", xlim=(0, 1), ylim=(0, 1)
    )
    axes.legend(loc="upper left")
    return figure


def _mean(errors: Any) -> Any:
    """The mean by step; NaN for steps without any reading."""
    known = ~np.isnan(errors)
    return np.where(known, errors, 0).sum(axis=0) / np.where(known.any(axis=0), known.sum(axis=0), np.nan)


def _save(figure: Figure, folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / f"{name}.png", dpi=160)
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
