"""Measures the base model without training, beside naive and classical methods: series of unseen kinds, counts,
missing readings, short histories and spikes. All series are generated, so the tables can be repeated anywhere.

`python -m benchmarks.quality.base_model [--series N] [--no-classical]`; `make quality` runs it too.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import numpy as np

from benchmarks.quality import unseen
from benchmarks.quality.bands import bands, jumps
from benchmarks.quality.figures import Figure, goals
from benchmarks.quality.methods import (
    BASE,
    DAY,
    MIDDLE,
    Float64Array,
    Method,
    base_method,
    classical,
    coverage,
    error,
    geometric_mean,
    last_value,
    median_of_12,
    pinball,
    seasonal_naive,
)
from model_service.training.report import table
from model_service.training.seasonal_series import generate_seasonal

HISTORY, HORIZON = 64, 12
SEED = 20_261_202
GAPS = (0, 3, 6, 12, 24)
GAP_HISTORY = 48
HISTORIES = (8, 16, 24, 48)
# Daily series differ much, so more of them than of each kind.
DAILY_FACTOR = 4
CLASSICAL = ("AutoETS", "Theta")


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
        broken = windows.copy()
        for row in broken:
            at = int(rng.integers(0, GAP_HISTORY - gap + 1))
            row[at : at + gap] = np.nan
        forecasts = {name: method(broken, HORIZON) for name, method in methods.items()}
        errors = {name: error(forecast, actual, sizes) / whole for name, forecast in forecasts.items()}
        found[gap] = errors[BASE]
        band = coverage(forecasts[BASE], actual)
        rows.append([f"{gap} of {GAP_HISTORY}", *(f"{one:.2f}" for one in errors.values()), f"{band:.3f}"])
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
    errors = {
        name: np.abs(forecast[:, :, MIDDLE] - actual).mean() / reference
        for name, forecast in forecasts.items()
    }
    band = coverage(forecasts[BASE], actual)
    row = ["spike", *(f"{one:.3f}" for one in errors.values()), f"{band:.3f}"]
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


def report(series: int, with_classical: bool) -> tuple[str, list[Figure]]:
    """All tables, and the figures that have a goal."""
    methods: dict[str, Method] = {
        BASE: base_method(),
        "last value": last_value,
        "seasonal naive": seasonal_naive,
        "quantiles of 12": median_of_12,
    }
    if with_classical:
        methods |= {name: classical(name) for name in CLASSICAL}
    many = DAILY_FACTOR * series
    by_kind, losses = kinds(methods, series)
    of_counts, counted = counts(losses, list(methods))
    by_gap, with_gaps = gaps(methods, many)
    by_history, with_few = histories(methods, many)
    by_spike, (after_spike, band) = spikes(methods, many)
    by_case, of_bands = bands(methods[BASE], many, SEED)
    by_jump, of_jumps = jumps(methods[BASE])
    figures = [
        Figure("unseen kinds: pinball loss relative to seasonal naive", losses["mean"][BASE], 0.60),
        *_beside_classical(losses, with_classical),
        Figure("counts: pinball loss relative to seasonal naive", counted, 0.60),
        *(
            Figure(f"{gap} of {GAP_HISTORY} readings missing: error relative to none", with_gaps[gap], 1.15)
            for gap in (3, 6, 12)
        ),
        *(
            Figure(f"{history} readings: error relative to the last value", with_few[history], goal)
            for history, goal in ((8, 1.0), (16, 0.9), (24, 0.8))
        ),
        Figure("spike in the last reading: error relative to the median of 12", after_spike, 1.05),
        Figure("spike in the last reading: readings outside of the 80 % band", 1 - band, 0.25),
        Figure("unseen kinds: distance of the 80 % band from 0.80", abs(losses["mean"]["band"] - 0.8), 0.02),
        *of_bands,
        of_jumps,
        Figure(
            "series that were never negative with a negative forecast", negatives(methods[BASE], series), 0
        ),
    ]
    parts = [
        f"Kinds of series that the base model never saw, {series} each: pinball loss relative to seasonal naive",
        by_kind,
        "Counts, of the kinds above: pinball loss relative to seasonal naive",
        of_counts,
        f"An outage in two days of hours, {many} series: error relative to the base model without an outage",
        by_gap,
        f"Short histories of a daily season, {many} series: error relative to the last value",
        by_history,
        f"A spike in the last reading that does not last, {many} series: error relative to the median of the last 12",
        by_spike,
        f"What the 80 % band holds by step of the horizon, all unseen kinds, {many} series each",
        by_case,
        "A last reading that differs after a constant: quantiles of 6 steps ahead, from the constant (0) to it (1)",
        by_jump,
    ]
    return "\n\n".join(parts), figures


def _beside_classical(losses: dict[str, dict[str, float]], with_classical: bool) -> list[Figure]:
    """The share of kinds on which a classical method is better than the base model."""
    kinds_only = [by_method for kind, by_method in losses.items() if kind != "mean"]
    return [
        Figure(
            f"unseen kinds on which {name} is better",
            float(sum(by_method[name] < by_method[BASE] for by_method in kinds_only)),
            0,
        )
        for name in (CLASSICAL if with_classical else ())
    ]


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.quality.base_model", description=__doc__)
    parser.add_argument("--series", type=int, default=60, help="of each kind (default: %(default)s)")
    parser.add_argument("--no-classical", action="store_true", help="leave out AutoETS and Theta")
    arguments = parser.parse_args(words)
    tables, figures = report(arguments.series, not arguments.no_classical)
    print(f"{tables}\n\n{goals(figures)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
