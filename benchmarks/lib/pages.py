"""Generates the documentation's tables and charts from benchmarks/results/: `python -m benchmarks report [--check]`.

A generated block is between `<!-- begin NAME -->` and `<!-- end NAME -->`. The text around it is written by hand.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.lib.goals import Goal, monitor_goals, readings_goals
from benchmarks.lib.report import PLOTS, RESULTS, ROOT, cell, load
from benchmarks.lib.spread import Spread, figure

PROGRAM = "report"
DOCS = ROOT / "docs"
BLOCK = re.compile(r"<!-- begin (?P<name>[\w-]+) -->\n.*?<!-- end (?P=name) -->", re.DOTALL)
PAGES = ("performance.md", "protocols.md", "quality.md", "scaling.md")
OURS, AT_LEAST = "fncast, exactly-once", "fncast, at-least-once"
LIMIT = "the limit: one process, no hop"
TENTH = "0.1 of it"
SERVER, FIXED, NEXT = "fncast, GraphPipe", "no model: a fixed answer", "FastAPI + LiteRT, JSON"
PROTOCOLS = {
    "flatbuffers (GraphPipe)": "GraphPipe (flatbuffers)",
    "protobuf (gRPC, raw tensors)": "gRPC, raw tensors",
    "protobuf (gRPC, typed contents)": "gRPC, typed contents",
    "REST, binary tensors": "REST, binary tensors",
    "REST, JSON": "REST, JSON",
}
SIZES = (1, 8, 64, 512)


def goals() -> list[Goal]:
    """Return the goals in the order of the page. Raises OSError, KeyError."""
    path, delay, served = load("end_to_end"), load("delay"), load("model_service")
    latency, memory = load("growth-latency"), load("growth-memory")

    def delay_ms(name: str, percentile: str) -> Spread:
        return cell(delay, "delay", name, f"{TENTH}: {percentile}, ms")

    peers = [str(row[0]) for row in delay["tables"]["delay"]["rows"]]
    peers = [name for name in peers if not name.startswith(("fncast", LIMIT))]
    slowest = {
        delivery: max(delay_ms(name, "p50").median for name in peers if name.endswith(delivery))
        for delivery in ("at-least-once", "exactly-once")
    }
    rate = {name: cell(served, "requests/s", name, "64 × 1").median for name in (SERVER, NEXT)}
    to_peer, to_limit = "to the fastest peer that keeps order", "to the limit"
    share = "share of linear growth"
    return [
        Goal(
            "exactly-once: events/s, times the fastest peer's", "≥", 120, cell(path, "ratios", OURS, to_peer)
        ),
        Goal("exactly-once: events/s, share of the limit's", "≥", 0.8, cell(path, "ratios", OURS, to_limit)),
        Goal(
            "at-least-once: events/s, share of the limit's",
            "≥",
            0.8,
            cell(path, "ratios", AT_LEAST, to_limit),
        ),
        Goal("at-least-once: p99 delay at a tenth of the peak, ms", "≤", 30, delay_ms(AT_LEAST, "p99")),
        Goal("exactly-once: p99 delay at a tenth of the peak, ms", "≤", 80, delay_ms(OURS, "p99")),
        Goal(
            "at-least-once: p50 delay at a tenth of the peak, ms",
            "≤",
            slowest["at-least-once"],
            delay_ms(AT_LEAST, "p50"),
        ),
        Goal(
            "exactly-once: p50 delay at a tenth of the peak, ms",
            "≤",
            slowest["exactly-once"],
            delay_ms(OURS, "p50"),
        ),
        Goal(
            "model service: requests/s, times the fastest peer's",
            "≥",
            1,
            Spread.of([rate[SERVER] / rate[NEXT]]),
        ),
        Goal(
            "model service: CPU a request above a fixed answer's, µs",
            "≤",
            15,
            cell(served, "ratios", SERVER, "64 × 1: CPU µs over the fixed answer's"),
        ),
        Goal(
            "model service: 64 windows a request, share of in-process",
            "≥",
            0.6,
            cell(served, "ratios", SERVER, "1 × 64: windows/s, share of those in process"),
        ),
        Goal(
            "model service: p50 of one window, times a fixed answer's",
            "≤",
            1.3,
            cell(served, "ratios", SERVER, "1 × 1: p50, times the fixed answer's"),
        ),
        Goal(
            "function of 100 ms: share of linear growth",
            "≥",
            0.8,
            cell(latency, share, "100 ms", "1 calls in flight"),
        ),
        Goal(
            "function of 30 ms: share of linear growth",
            "≥",
            0.8,
            cell(latency, share, "30 ms", "1 calls in flight"),
        ),
        Goal(
            "memory of the consumer over 1,000,000 events, MB",
            "≤",
            150,
            cell(memory, "memory", "largest, MB", "exactly-once"),
        ),
        *readings_goals(load("readings"), path),
        *monitor_goals(load("monitor")),
    ]


def goals_block() -> str:
    """Return the table of the first screen."""
    rows = [
        (
            goal.figure,
            goal.target,
            str(goal.measured),
            "yes" if goal.is_met else "**no**",
        )
        for goal in goals()
    ]
    return _table(("figure", "goal", "measured", "met?"), rows)


def section_block(section: str) -> str:
    """Return the origin of a result, and its chart."""
    result = load(section)
    lines = [
        f"{result['date']}; {result['machine']}; Python {result['python']}.",
        f"{'; '.join(result['setup'])}.",
        f"Raw tables: `benchmarks/results/{section}.json`.",
    ]
    if result["chart"]:
        lines += ["", f"![Chart: {section}]({PLOTS.name}/{result['chart']})"]
    return "\n".join(lines)


def costs_block() -> str:
    """Return what an event costs, by part; µs an event are cores for a million events a second."""
    result = load("end_to_end")
    parts = [
        (part, cell(result, "pipelines", OURS, f"{column}, µs/event").median)
        for part, column in (
            ("consumer, exactly-once", "consumer"),
            ("function and its host", "functions"),
            ("model service", "model service"),
        )
    ]
    broker = cell(result, "pipelines", OURS, "broker, µs/event").median
    parts += [("together", sum(cost for _, cost in parts)), ("broker, one replica", broker)]
    rows = [(part, figure(us), figure(us)) for part, us in parts]
    return _table(("part", "µs of CPU an event", "cores for 1,000,000 events/s"), rows)


def protocols_block() -> str:
    """Return two tables: the time of a call beside GraphPipe's, and bytes and CPU of a call of 64 windows."""
    result = load("protocols")

    def value(protocol: str, size: int, column: str) -> str:
        return figure(cell(result, "protocols", f"{protocol}, {size}", column).median)

    times = [
        (name, *(value(protocol, size, "times GraphPipe") for size in SIZES))
        for protocol, name in PROTOCOLS.items()
    ]
    columns = (
        "bytes of the request",
        "bytes of the response",
        "CPU of the server, µs a call",
        "CPU of the caller, µs a call",
    )
    costs = [
        (name, *(value(protocol, 64, column) for column in columns)) for protocol, name in PROTOCOLS.items()
    ]
    return "\n\n".join(
        [
            section_block("protocols"),
            "Time of a call, times GraphPipe's, by windows a call:",
            _table(("protocol", *map(str, SIZES)), times),
            "A call of 64 windows:",
            _table(("protocol", "bytes out", "bytes back", "server, µs", "caller, µs"), costs),
        ]
    )


def front_block() -> str:
    """Return the accuracy and the time of each method, and the chart; a sentence if there is no result yet."""
    try:
        result = load("quality_front")
    except FileNotFoundError:
        return "There is no result yet: the benchmark needs an idle machine."
    found = result["tables"]["front"]
    rows = [(name, readings, f"{loss:.3f}", figure(us)) for name, readings, loss, us in found["rows"]]
    return "\n\n".join([section_block("quality_front"), _table(found["columns"], rows)])


BLOCKS: dict[str, Callable[[], str]] = {
    "quality_front": front_block,
    "goals": goals_block,
    "costs": costs_block,
    "protocols": protocols_block,
}


def block(name: str) -> str:
    """Return a generated block. Raises OSError if it has no result, KeyError if a figure is missing."""
    return BLOCKS[name]() if name in BLOCKS else section_block(name)


def generated(page: str) -> str:
    """Return a page's text with all of its blocks generated."""
    return BLOCK.sub(
        lambda match: f"<!-- begin {match['name']} -->\n{block(match['name'])}\n<!-- end {match['name']} -->",
        page,
    )


def generate(docs: Path = DOCS) -> None:
    """Write the generated blocks of all pages."""
    for name in PAGES:
        page = docs / name
        page.write_text(generated(page.read_text("utf-8")), "utf-8")


def main(argv: Sequence[str]) -> int:
    """Write or check the pages; return the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks {PROGRAM}", description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="fail if a page is not up to date; write nothing"
    )
    arguments = parser.parse_args(argv)
    if not arguments.check:
        generate()
        return 0
    pages = {name: (DOCS / name).read_text("utf-8") for name in PAGES}
    old = [name for name, page in pages.items() if generated(page) != page]
    if old:
        print(
            f"docs/{', docs/'.join(old)}: not up to date with {RESULTS.relative_to(ROOT)}."
            f" Run `python -m benchmarks {PROGRAM}` and commit.",
            file=sys.stderr,
        )
    return 1 if old else 0


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
