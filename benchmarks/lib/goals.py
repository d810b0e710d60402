"""Goals and what was measured: the rows of the first screen of docs/performance.md."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from benchmarks.lib.report import cell
from benchmarks.lib.spread import Spread

RARE, EACH = "fncast, every 60th step", "fncast, each reading"
EVENTS = "fncast, exactly-once"


@dataclass(frozen=True)
class Goal:
    """A row of the first screen. aim: at least (or at most) `bound`."""

    figure: str
    aim: str
    bound: float
    measured: Spread

    @property
    def target(self) -> str:
        """The aim and the bound, for a table."""
        return f"{self.aim} {self.bound:,.0f}" if self.bound >= 100 else f"{self.aim} {self.bound:.3g}"

    @property
    def is_met(self) -> bool:
        """Whether the median keeps the bound."""
        median = self.measured.median
        return median >= self.bound if self.aim == "≥" else median <= self.bound


def readings_goals(readings: dict[str, Any], events: dict[str, Any]) -> list[Goal]:
    """Return the goals of single readings. readings, events: results of the parts `readings` and `end_to_end`."""

    def found(table: str, row: str, column: str) -> Spread:
        return _found(readings, table, row, column)

    def single(name: str) -> Spread:
        return found("figures", name, "measured")

    costs = [f"{part}, µs/event" for part in ("consumer", "functions", "model service")]
    event_us = sum(cell(events, "pipelines", EVENTS, column).median for column in costs)
    rate, cpu, ratio = "readings/s", "CPU, µs a reading", "times as many readings/s"
    return [
        Goal("readings/s, a forecast each 60th step", "≥", 120_000, found("rates", RARE, rate)),
        Goal("the same, times Quix Streams without forecasts", "≥", 5, found("ratios", RARE, ratio)),
        Goal("readings/s, a forecast for each reading", "≥", 35_000, found("rates", EACH, rate)),
        Goal("the same, share of one process without hops", "≥", 0.8, found("ratios", EACH, ratio)),
        Goal("CPU a reading with a forecast, µs", "≤", 40, found("rates", EACH, cpu)),
        Goal("CPU of a window event in JSON, µs", "≤", 60, Spread.of([event_us])),
        *(Goal(name, "≤", bound, single(name)) for name, bound in SINGLE.items()),
    ]


# Figures of benchmarks/readings/figures.py.
SINGLE = {
    "delay at 500 readings/s: p50, ms": 30,
    "delay at 500 readings/s: p99, ms": 80,
    "quiet series: latest window behind step and grace, s": 1,
    "100,000 series after kill -9: assignment to first forecast, s": 5,
    "100,000 series: resident memory of the consumer, MB": 300,
    "memory of a series beside its name, bytes": 1024,
    "longest gap in a partition's output as a consumer leaves or joins, s": 1,
}


def monitor_goals(monitor: dict[str, Any]) -> list[Goal]:
    """Return the goals of the monitor. monitor: result of the part `monitor`."""
    live, rate = "anomalies at 1,000 readings/s", "readings/s"
    return [
        Goal(
            "monitor: anomaly after its reading at 1,000 readings/s, p99, s",
            "≤",
            1,
            _found(monitor, "delays", live, "p99 of the delay, s"),
        ),
        Goal(
            "monitor: readings/s of a backlog",
            "≥",
            20_000,
            _found(monitor, "rates", "fncast monitor, a backlog", rate),
        ),
        Goal(
            "detect: readings/s of a file, start to end",
            "≥",
            20_000,
            _found(monitor, "rates", "fncast detect, one series", rate),
        ),
    ]


def _found(result: dict[str, Any], table: str, row: str, column: str) -> Spread:
    """Return a figure; NaN if its measurement failed."""
    try:
        return cell(result, table, row, column)
    except (KeyError, TypeError):
        return Spread.of([math.nan])
