"""Measures the base model without training, beside naive and classical methods: series of unseen kinds, counts,
missing readings, short histories and spikes. All series are generated, so the tables can be repeated anywhere.

`python -m benchmarks.quality.base_model [--series N] [--no-classical]`; `make quality` runs it too.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.lib.arguments import positive_integer
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
Methods = dict[str, Method]  # by name


class Section(NamedTuple):
    """A table with its title, and its figures that have a goal."""

    title: str
    table: str
    figures: Sequence[Figure]


def report(series: int, with_classical: bool) -> tuple[str, list[Figure]]:
    """All tables, and the figures that have a goal. series: of each kind."""
    methods: dict[str, Method] = {
        BASE: base_method(),
        "last value": last_value,
        "seasonal naive": seasonal_naive,
        "quantiles of 12": median_of_12,
    }
    if with_classical:
        methods |= {name: classical(name) for name in CLASSICAL}
    many = DAILY_FACTOR * series
    sections = [
        *_kinds(methods, series),
        _gaps(methods, many),
        _histories(methods, many),
        _spikes(methods, many),
        _bands(methods, many),
        _jumps(methods),
    ]
    tables = "\n\n".join(f"{section.title}\n\n{section.table}" for section in sections)
    return tables, [figure for section in sections for figure in section.figures]


def _kinds(methods: Methods, series: int) -> tuple[Section, Section]:
    table, losses = kinds(methods, series)
    mean = losses["mean"]
    figures = [
        Figure("unseen kinds: pinball loss relative to seasonal naive", mean[BASE], 0.60),
        *_beside_classical(losses, [name for name in CLASSICAL if name in methods]),
        Figure("unseen kinds: distance of the 80 % band from 0.80", abs(mean["band"] - 0.8), 0.02),
        Figure(
            "series that were never negative with a negative forecast", negatives(methods[BASE], series), 0
        ),
    ]
    of_counts, loss = counts(losses, list(methods))
    return (
        Section(
            f"Kinds of series that the base model never saw, {series} each:"
            " pinball loss relative to seasonal naive",
            table,
            figures,
        ),
        Section(
            "Counts, of the kinds above: pinball loss relative to seasonal naive",
            of_counts,
            [Figure("counts: pinball loss relative to seasonal naive", loss, 0.60)],
        ),
    )


def _gaps(methods: Methods, series: int) -> Section:
    table, errors = gaps(methods, series)
    return Section(
        f"An outage in two days of hours, {series} series: error relative to the base model without an outage",
        table,
        [
            Figure(f"{gap} of {GAP_HISTORY} readings missing: error relative to none", errors[gap], 1.15)
            for gap in (3, 6, 12)
        ],
    )


def _histories(methods: Methods, series: int) -> Section:
    table, errors = histories(methods, series)
    return Section(
        f"Short histories of a daily season, {series} series: error relative to the last value",
        table,
        [
            Figure(f"{history} readings: error relative to the last value", errors[history], goal)
            for history, goal in ((8, 1.0), (16, 0.9), (24, 0.8))
        ],
    )


def _spikes(methods: Methods, series: int) -> Section:
    table, (error, band) = spikes(methods, series)
    return Section(
        f"A spike in the last reading that does not last, {series} series:"
        " error relative to the median of the last 12",
        table,
        [
            Figure("spike in the last reading: error relative to the median of 12", error, 1.05),
            Figure("spike in the last reading: readings outside of the 80 % band", 1 - band, 0.25),
        ],
    )


def _bands(methods: Methods, series: int) -> Section:
    table, figures = bands(methods[BASE], series, SEED)
    return Section(
        f"What the 80 % band holds by step of the horizon, all unseen kinds, {series} series each",
        table,
        figures,
    )


def _jumps(methods: Methods) -> Section:
    table, figure = jumps(methods[BASE])
    return Section(
        "A last reading that differs after a constant: quantiles of 6 steps ahead, from the constant (0) to it (1)",
        table,
        [figure],
    )


def _beside_classical(losses: dict[str, dict[str, float]], names: Sequence[str]) -> list[Figure]:
    """By classical method, the number of kinds on which it is better than the base model."""
    by_kind = [by_method for kind, by_method in losses.items() if kind != "mean"]
    return [
        Figure(
            f"unseen kinds on which {name} is better",
            float(sum(by_method[name] < by_method[BASE] for by_method in by_kind)),
            0,
        )
        for name in names
    ]


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.quality.base_model", description=__doc__)
    parser.add_argument(
        "--series", type=positive_integer, default=60, help="of each kind (default: %(default)s)"
    )
    parser.add_argument("--no-classical", action="store_true", help="leave out AutoETS and Theta")
    arguments = parser.parse_args(words)
    tables, figures = report(arguments.series, not arguments.no_classical)
    print(f"{tables}\n\n{goals(figures)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
