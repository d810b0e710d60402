"""What the 80 % band of the base model holds: by step of the horizon, by known and missing readings, after a jump."""

from __future__ import annotations

import numpy as np

from benchmarks.quality import unseen
from benchmarks.quality.figures import Figure
from benchmarks.quality.methods import HIGH, LOW, Method
from fncast.series.window import Float64Array
from model_service.training.base.shape import QUANTILES
from model_service.training.evaluation.report import table

WINDOW, HORIZON = 64, 24
# Ranges of steps, as slices: one step alone shows too few readings.
RANGES = {"step 1": (0, 1), "2 to 4": (1, 4), "5 to 12": (4, 12), "13 to 24": (12, 24)}
MISSING = (0, 6, 16, 32)
HISTORIES = (8, 16, 24, 48)
# The goal: between 0.78 and 0.82.
LEVEL, APART = 0.8, 0.02
# Readings of a window that is constant up to a jump in the last one.
JUMPS_AFTER = (8, 16, 24, 48, 64)
JUMP_STEP, NEAR = 6, 0.15


def bands(method: Method, series: int, seed: int) -> tuple[str, list[Figure]]:
    """The share of readings within the band, in the mean over kinds never trained on: a table, and its worst places.

    series: of each kind.
    """
    rng = np.random.default_rng(seed)
    every = np.stack(
        [kind(rng, 200 + WINDOW + HORIZON)[200:] for kind in unseen.KINDS for _ in range(series)]
    )
    whole, actual = every[:, :WINDOW], every[:, WINDOW:]
    by_gap = {f"{gap} of {WINDOW} missing": with_outage(rng, whole, gap) for gap in MISSING}
    by_history = {f"{history} readings": whole[:, -history:] for history in HISTORIES}
    held = {}
    for name, windows in (by_gap | by_history).items():
        forecast = method(windows, HORIZON)
        held[name] = ((actual >= forecast[:, :, LOW]) & (actual <= forecast[:, :, HIGH])).mean(axis=0)
    by_range = {
        name: [shares[first:end].mean() for first, end in RANGES.values()] for name, shares in held.items()
    }
    rows = [
        [name, *(f"{share:.3f}" for share in by_range[name]), f"{shares.mean():.3f}"]
        for name, shares in held.items()
    ]
    worst = {
        "steps of the horizon": max(abs(share - LEVEL) for share in by_range[f"0 of {WINDOW} missing"]),
        "missing readings": max(abs(held[name].mean() - LEVEL) for name in by_gap),
        "short histories": max(abs(held[name].mean() - LEVEL) for name in by_history),
    }
    figures = [
        Figure(f"{name}: largest distance of the 80 % band from 0.80", float(apart), APART)
        for name, apart in worst.items()
    ]
    return table(["window", *RANGES, "all steps"], rows), figures


def jumps(method: Method) -> tuple[str, Figure]:
    """The quantiles after a jump from a constant in the last reading, and how many bands hold only one outcome."""
    rows, narrow = [], 0
    for readings in JUMPS_AFTER:
        window = np.zeros((1, readings))
        window[0, -1] = 1.0
        quantiles = method(window - 5.0, JUMP_STEP)[0, -1] + 5.0  # below 0, where forecasts have no limit
        is_wide = quantiles[LOW] <= NEAR and quantiles[HIGH] >= 1 - NEAR
        narrow += not is_wide
        rows.append(
            [str(readings), *(f"{quantile:.2f}" for quantile in quantiles), "yes" if is_wide else "no"]
        )
    header = ["readings", *(f"{level:g}" for level in QUANTILES), "holds both"]
    name = "jump after a constant: share of bands that do not hold both outcomes"
    return table(header, rows), Figure(name, narrow / len(JUMPS_AFTER), 0.0)


def with_outage(rng: np.random.Generator, windows: Float64Array, gap: int) -> Float64Array:
    """The windows (count, readings) with `gap` missing readings at a random place."""
    broken = windows.copy()
    for row in broken:
        at = int(rng.integers(0, len(row) - gap + 1))
        row[at : at + gap] = np.nan
    return broken
