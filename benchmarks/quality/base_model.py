"""Measures the base model without training, beside naive and classical methods: series of unseen kinds, counts,
missing readings, short histories and spikes. All series are generated, so the tables can be repeated anywhere.

`python -m benchmarks.quality.base_model [--series N] [--no-classical]`; `make quality` runs it too.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.quality.bands import bands, jumps
from benchmarks.quality.base_tables import (
    GAP_HISTORY,
    SEED,
    counts,
    gaps,
    histories,
    kinds,
    negatives,
    spikes,
)
from benchmarks.quality.figures import Figure, goals
from benchmarks.quality.methods import (
    BASE,
    Method,
    base_method,
    classical,
    last_value,
    median_of_12,
    seasonal_naive,
)

# Daily series differ much, so more of them than of each kind.
DAILY_FACTOR = 4
CLASSICAL = ("AutoETS", "Theta")


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
