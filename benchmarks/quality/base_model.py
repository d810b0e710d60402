"""Measures the base model without training, beside naive and classical methods: series of unseen kinds, counts,
missing readings, short histories and spikes. All series are generated, so the tables can be repeated anywhere.

`python -m benchmarks.quality.base_model [--series N] [--no-classical]`; `make quality` runs it too.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.quality.base_tables import GAP_HISTORY, counts, gaps, histories, kinds, negatives, spikes
from benchmarks.quality.methods import (
    BASE,
    Method,
    base_method,
    classical,
    last_value,
    median_of_12,
    seasonal_naive,
)
from model_service.training.report import table

# Daily series differ much, so more of them than of each kind.
DAILY_FACTOR = 4
CLASSICAL = ("AutoETS", "Theta")


@dataclass(frozen=True)
class GoalFigure:
    """A figure that needs no held-back data. goal: its maximum."""

    name: str
    value: float
    goal: float

    @property
    def is_met(self) -> bool:
        return self.value <= self.goal


def report(series: int, with_classical: bool) -> tuple[str, list[GoalFigure]]:
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
    figures = [
        GoalFigure("unseen kinds: pinball loss relative to seasonal naive", losses["mean"][BASE], 0.60),
        *_beside_classical(losses, with_classical),
        GoalFigure("counts: pinball loss relative to seasonal naive", counted, 0.60),
        *(
            GoalFigure(
                f"{gap} of {GAP_HISTORY} readings missing: error relative to none", with_gaps[gap], 1.15
            )
            for gap in (3, 6, 12)
        ),
        *(
            GoalFigure(f"{history} readings: error relative to the last value", with_few[history], goal)
            for history, goal in ((8, 1.0), (16, 0.9), (24, 0.8))
        ),
        GoalFigure("spike in the last reading: error relative to the median of 12", after_spike, 1.05),
        GoalFigure("spike in the last reading: readings outside of the 80 % band", 1 - band, 0.25),
        GoalFigure(
            "unseen kinds: distance of the 80 % band from 0.80", abs(losses["mean"]["band"] - 0.8), 0.02
        ),
        GoalFigure(
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
    ]
    return "\n\n".join(parts), figures


def _beside_classical(losses: dict[str, dict[str, float]], with_classical: bool) -> list[GoalFigure]:
    """The share of kinds on which a classical method is better than the base model."""
    kinds_only = [by_method for kind, by_method in losses.items() if kind != "mean"]
    return [
        GoalFigure(
            f"unseen kinds on which {name} is better",
            float(sum(by_method[name] < by_method[BASE] for by_method in kinds_only)),
            0,
        )
        for name in (CLASSICAL if with_classical else ())
    ]


def goals(figures: Sequence[GoalFigure]) -> str:
    """The table of the figures that have a goal."""
    rows = [
        [one.name, f"{one.value:.3f}", f"≤ {one.goal:.2f}", "yes" if one.is_met else "no"] for one in figures
    ]
    return "Goals\n\n" + table(["figure", "base model", "goal", "met"], rows)


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
