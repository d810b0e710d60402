"""The goals with their measured figures: the first table of docs/performance.md."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

from benchmarks.lib.report import cell, load
from benchmarks.lib.spread import Spread

# Names of rows in the tables of benchmarks/results.
RARE, EACH = "fncast, every 60th step", "fncast, each reading"
EVENTS, AT_LEAST = "fncast, exactly-once", "fncast, at-least-once"
LIMIT = "the limit: one process, no hop"
SERVER, PEER_SERVER = "fncast, GraphPipe", "FastAPI + LiteRT, JSON"
# The largest allowed value of each figure of benchmarks/readings/figures.py.
READINGS_LIMITS = {
    "delay at 500 readings/s: p50, ms": 30,
    "delay at 500 readings/s: p99, ms": 80,
    "quiet series: latest window behind step and grace, s": 1,
    "100,000 series after kill -9: assignment to first forecast, s": 5,
    "100,000 series: resident memory of the consumer, MB": 300,
    "memory of a series beside its name, bytes": 1024,
    "longest gap in a partition's output as a consumer leaves or joins, s": 1,
}


@dataclass(frozen=True)
class Goal:
    """A row of the table: the median of a figure shall be at least (≥) or at most (≤) the bound."""

    figure: str
    comparison: Literal["≥", "≤"]
    bound: float
    measured: Spread

    @property
    def target(self) -> str:
        """The comparison and the bound as text, such as "≥ 0.8"."""
        bound = f"{self.bound:,.0f}" if self.bound >= 100 else f"{self.bound:.3g}"
        return f"{self.comparison} {bound}"

    @property
    def is_met(self) -> bool:
        """Whether the median satisfies the comparison; False if nothing was measured."""
        median = self.measured.median
        return median >= self.bound if self.comparison == "≥" else median <= self.bound


def goals() -> list[Goal]:
    """Return all goals in the order of the table. Raises OSError or KeyError if a result or a figure is missing."""
    events = load("end_to_end")
    return [
        *events_goals(events, load("delay")),
        *model_service_goals(load("model_service")),
        *growth_goals(load("growth-latency"), load("growth-memory")),
        *readings_goals(load("readings"), events),
        *monitor_goals(load("monitor")),
    ]


def events_goals(events: dict[str, Any], delay: dict[str, Any]) -> list[Goal]:
    """Return the goals of events with whole windows. events, delay: results of `end_to_end` and `delay`.

    The goal for p50 is the p50 of the slowest peer with the same guarantee.
    """

    def ratio(pipeline: str, to: str) -> Spread:
        return cell(events, "ratios", pipeline, to)

    def delay_ms(pipeline: str, percentile: str) -> Spread:
        return cell(delay, "delay", pipeline, f"0.1 of it: {percentile}, ms")

    pipelines = [str(row[0]) for row in delay["tables"]["delay"]["rows"]]
    peers = [name for name in pipelines if not name.startswith(("fncast", LIMIT))]

    def slowest_p50_ms(delivery: str) -> float:
        return max(delay_ms(name, "p50").median for name in peers if name.endswith(delivery))

    to_peer, to_limit = "to the fastest peer that keeps order", "to the limit"
    tenth = "delay at a tenth of the peak, ms"
    return [
        Goal("exactly-once: events/s, times the fastest peer's", "≥", 120, ratio(EVENTS, to_peer)),
        Goal("exactly-once: events/s, share of the limit's", "≥", 0.8, ratio(EVENTS, to_limit)),
        Goal("at-least-once: events/s, share of the limit's", "≥", 0.8, ratio(AT_LEAST, to_limit)),
        Goal(f"at-least-once: p99 {tenth}", "≤", 30, delay_ms(AT_LEAST, "p99")),
        Goal(f"exactly-once: p99 {tenth}", "≤", 80, delay_ms(EVENTS, "p99")),
        Goal(f"at-least-once: p50 {tenth}", "≤", slowest_p50_ms("at-least-once"), delay_ms(AT_LEAST, "p50")),
        Goal(f"exactly-once: p50 {tenth}", "≤", slowest_p50_ms("exactly-once"), delay_ms(EVENTS, "p50")),
    ]


def model_service_goals(served: dict[str, Any]) -> list[Goal]:
    """Return the goals of the model service. served: result of the part `model_service`."""

    def ratio(column: str) -> Spread:
        return cell(served, "ratios", SERVER, column)

    rate, peer_rate = (cell(served, "requests/s", name, "64 × 1").median for name in (SERVER, PEER_SERVER))
    over_fixed = ratio("64 × 1: CPU µs over the fixed answer's")
    of_in_process = ratio("1 × 64: windows/s, share of those in process")
    to_fixed = ratio("1 × 1: p50, times the fixed answer's")
    return [
        Goal("model service: requests/s, times the fastest peer's", "≥", 1, Spread.of([rate / peer_rate])),
        Goal("model service: CPU a request above a fixed answer's, µs", "≤", 15, over_fixed),
        Goal("model service: 64 windows a request, share of in-process", "≥", 0.6, of_in_process),
        Goal("model service: p50 of one window, times a fixed answer's", "≤", 1.3, to_fixed),
    ]


def growth_goals(latency: dict[str, Any], memory: dict[str, Any]) -> list[Goal]:
    """Return the goals of growth. latency, memory: results of `growth-latency` and `growth-memory`."""
    share, one_call = "share of linear growth", "1 calls in flight"
    slow, fast = (cell(latency, share, row, one_call) for row in ("100 ms", "30 ms"))
    largest_mb = cell(memory, "memory", "largest, MB", "exactly-once")
    return [
        Goal("function of 100 ms: share of linear growth", "≥", 0.8, slow),
        Goal("function of 30 ms: share of linear growth", "≥", 0.8, fast),
        Goal("memory of the consumer over 1,000,000 events, MB", "≤", 150, largest_mb),
    ]


def readings_goals(readings: dict[str, Any], events: dict[str, Any]) -> list[Goal]:
    """Return the goals of single readings. readings, events: results of the parts `readings` and `end_to_end`."""

    def measured(table: str, row: str, column: str) -> Spread:
        return _cell_or_nan(readings, table, row, column)

    costs = [f"{part}, µs/event" for part in ("consumer", "functions", "model service")]
    event_us = sum(cell(events, "pipelines", EVENTS, column).median for column in costs)
    rate, cpu, ratio = "readings/s", "CPU, µs a reading", "times as many readings/s"
    return [
        Goal("readings/s, a forecast each 60th step", "≥", 120_000, measured("rates", RARE, rate)),
        Goal("the same, times Quix Streams without forecasts", "≥", 5, measured("ratios", RARE, ratio)),
        Goal("readings/s, a forecast for each reading", "≥", 35_000, measured("rates", EACH, rate)),
        Goal("the same, share of one process without hops", "≥", 0.8, measured("ratios", EACH, ratio)),
        Goal("CPU a reading with a forecast, µs", "≤", 40, measured("rates", EACH, cpu)),
        Goal("CPU of a window event in JSON, µs", "≤", 60, Spread.of([event_us])),
        *(
            Goal(name, "≤", limit, measured("figures", name, "measured"))
            for name, limit in READINGS_LIMITS.items()
        ),
    ]


def monitor_goals(monitor: dict[str, Any]) -> list[Goal]:
    """Return the goals of the monitor. monitor: result of the part `monitor`."""
    live, rate = "anomalies at 1,000 readings/s", "readings/s"
    return [
        Goal(
            "monitor: anomaly after its reading at 1,000 readings/s, p99, s",
            "≤",
            1,
            _cell_or_nan(monitor, "delays", live, "p99 of the delay, s"),
        ),
        Goal(
            "monitor: readings/s of a backlog",
            "≥",
            20_000,
            _cell_or_nan(monitor, "rates", "fncast monitor, a backlog", rate),
        ),
        Goal(
            "detect: readings/s of a file, start to end",
            "≥",
            20_000,
            _cell_or_nan(monitor, "rates", "fncast detect, one series", rate),
        ),
    ]


def _cell_or_nan(result: dict[str, Any], table: str, row: str, column: str) -> Spread:
    """Return a figure; NaN if its measurement failed."""
    try:
        return cell(result, table, row, column)
    except (KeyError, TypeError):
        return Spread.of([math.nan])
