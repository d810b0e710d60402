"""The delays of the pipelines, as a table and as a chart."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.lib import charts, report
from benchmarks.lib.pipeline_result import PipelineResult
from benchmarks.lib.spread import Spread, figure, percentile

COMMON_RATE = 50.0  # events a second, for all pipelines: about a tenth of the peers' peaks
PEAK_SHARES = (0.1, 0.5, 0.9)
PERCENTILES = (0.5, 0.99)


@dataclass
class Phase:
    """Events `first` to `last` - 1 at a steady rate, in events a second.

    recorded_s: delays from the append of an event to the append of its forecast, ascending. seen_s: delays until a
    read-committed reader has the forecast, ascending.
    """

    rate: float
    first: int
    last: int
    recorded_s: list[float] = field(default_factory=list)
    seen_s: list[float] = field(default_factory=list)


@dataclass
class DelayResult(PipelineResult):
    """The rounds of one pipeline. A round has a peak in events/s and phases: at COMMON_RATE, and at PEAK_SHARES."""

    peaks: list[float] = field(default_factory=list)
    phases: list[list[Phase]] = field(default_factory=list)
    wrong_rounds: int = 0

    def delay_ms(self, index: int, share: float, delays: str = "seen_s") -> Spread:
        """Return a percentile in the phases of that index, over all rounds, in ms. delays: a field of `Phase`."""
        rounds = [percentile(getattr(phases[index], delays), share) for phases in self.phases]
        return Spread.of([delay_s * 1000 for delay_s in rounds])


def last_round(result: DelayResult) -> str:
    """Return a line about the last round."""
    delays = ", ".join(f"{figure(phase.rate)}/s {_p50_and_p99_ms(phase)}" for phase in result.phases[-1])
    return f"{result.name}: peak {figure(result.peaks[-1])}/s; p50 / p99 ms at {delays}"


def _p50_and_p99_ms(phase: Phase) -> str:
    return " / ".join(figure(percentile(phase.seen_s, share) * 1000) for share in PERCENTILES)


def table(results: list[DelayResult]) -> report.Table:
    """Return peak and delays of each pipeline."""
    columns = [(f"{share:g} of it", index, "seen_s") for index, share in enumerate(PEAK_SHARES, 1)]
    columns.append((f"{PEAK_SHARES[0]:g} of it, until appended", 1, "recorded_s"))
    columns.append((f"{COMMON_RATE:g}/s", 0, "seen_s"))
    heads = [f"{name}: p{share * 100:.0f}, ms" for name, _, _ in columns for share in PERCENTILES]
    rows: list[tuple[report.Cell, ...]] = [
        (
            result.name,
            Spread.of(result.peaks),
            *(result.delay_ms(index, share, delays) for _, index, delays in columns for share in PERCENTILES),
        )
        for result in results
    ]
    return report.Table("delay", ("pipeline", "peak, events/s", *heads), rows)


def chart(results: list[DelayResult]) -> report.Chart | None:
    """Draw p99 of the delay by rate, a line for each pipeline."""
    points = {
        result.name: [
            (
                Spread.of([phases[index].rate for phases in result.phases]).median,
                result.delay_ms(index, 0.99).median,
            )
            for index in range(len(PEAK_SHARES) + 1)
        ]
        for result in results
    }
    return charts.lines(report.CHARTS, "delay", points, "events a second", "p99 of the delay, ms")
