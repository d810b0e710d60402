"""Generates the documentation's tables and charts from benchmarks/results/: `python -m benchmarks report [--check]`.

A generated block is between `<!-- begin NAME -->` and `<!-- end NAME -->`. The text around it is written by hand.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.lib.goals import EVENTS, goals
from benchmarks.lib.report import CHARTS, RESULTS, ROOT, cell, load, markdown_table
from benchmarks.lib.spread import figure

PROGRAM = "report"
DOCS = ROOT / "docs"
BLOCK = re.compile(r"<!-- begin (?P<name>[\w-]+) -->\n.*?<!-- end (?P=name) -->", re.DOTALL)
PAGES = ("performance.md", "protocols.md", "quality.md", "scaling.md")
# Names of the protocols in the result, and on the page.
PROTOCOLS = {
    "flatbuffers (GraphPipe)": "GraphPipe (flatbuffers)",
    "protobuf (gRPC, raw tensors)": "gRPC, raw tensors",
    "protobuf (gRPC, typed contents)": "gRPC, typed contents",
    "REST, binary tensors": "REST, binary tensors",
    "REST, JSON": "REST, JSON",
}
SIZES = (1, 8, 64, 512)  # windows a call
# The results in the table of runs on docs/performance.md.
RUNS = (
    "end_to_end",
    "readings",
    "monitor",
    "delay",
    "model_service",
    "growth-latency",
    "growth-size",
    "growth-partitions",
    "growth-processes",
    "growth-series",
    "growth-memory",
    "growth-steps",
)


def goals_block() -> str:
    """Return the table of the goals."""
    rows = [
        (
            goal.figure,
            goal.target,
            str(goal.measured),
            "yes" if goal.is_met else "**no**",
        )
        for goal in goals()
    ]
    return markdown_table(("figure", "goal", "measured", "met?"), rows)


def chart_block(section: str) -> str:
    """Return the chart of a result."""
    return f"![Chart: {section}]({CHARTS.name}/{load(section)['chart']})"


def runs_block() -> str:
    """Return when, where and how the results of docs/performance.md were measured."""
    rows = []
    for section in RUNS:
        result = load(section)
        python, setup = result["python"].partition(" ")[0], "; ".join(result["setup"])
        rows.append((f"`{section}`", result["date"], result["machine"], python, setup))
    heads = ("result", "date", "machine", "Python", "with")
    return markdown_table(heads, rows, has_figures=False)


def _origin(section: str) -> str:
    """Return when, where and how a result was measured."""
    result = load(section)
    return (
        f"{result['date']}; {result['machine']}; Python {result['python']}.\n"
        f"{'; '.join(result['setup'])}.\n"
        f"Raw tables: `benchmarks/results/{section}.json`."
    )


def costs_block() -> str:
    """Return the CPU time of an event, by part.

    1 µs an event is one core at 1,000,000 events a second, so both columns have the same figures.
    """
    result = load("end_to_end")
    parts = [
        (part, cell(result, "pipelines", EVENTS, f"{column}, µs/event").median)
        for part, column in (
            ("consumer, exactly-once", "consumer"),
            ("function and its host", "functions"),
            ("model service", "model service"),
        )
    ]
    broker = cell(result, "pipelines", EVENTS, "broker, µs/event").median
    parts += [("together", sum(cost for _, cost in parts)), ("broker, one replica", broker)]
    rows = [(part, figure(us), figure(us)) for part, us in parts]
    return markdown_table(("part", "µs of CPU an event", "cores for 1,000,000 events/s"), rows)


def protocols_block() -> str:
    """Return two tables: the time of a call as a multiple of GraphPipe's, and bytes and CPU of a call of 64 windows."""
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
            _origin("protocols"),
            "Time of a call, times GraphPipe's, by windows a call:",
            markdown_table(("protocol", *map(str, SIZES)), times),
            "A call of 64 windows:",
            markdown_table(("protocol", "bytes out", "bytes back", "server, µs", "caller, µs"), costs),
        ]
    )


def front_block() -> str:
    """Return the accuracy and the time of each method, and the chart; a sentence if there is no result yet."""
    try:
        result = load("quality_front")
    except FileNotFoundError:
        return "There is no result yet: the benchmark needs an idle machine."
    front = result["tables"]["front"]
    rows = [(name, readings, f"{loss:.3f}", figure(us)) for name, readings, loss, us in front["rows"]]
    return "\n\n".join(
        [_origin("quality_front"), chart_block("quality_front"), markdown_table(front["columns"], rows)]
    )


BLOCKS: dict[str, Callable[[], str]] = {
    "quality_front": front_block,
    "goals": goals_block,
    "costs": costs_block,
    "protocols": protocols_block,
    "runs": runs_block,
}


def block(name: str) -> str:
    """Return a generated block. Raises OSError if it has no result, KeyError if a figure is missing."""
    return BLOCKS[name]() if name in BLOCKS else chart_block(name)


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
    outdated = [name for name, page in pages.items() if generated(page) != page]
    if outdated:
        print(
            f"docs/{', docs/'.join(outdated)}: not up to date with {RESULTS.relative_to(ROOT)}."
            f" Run `python -m benchmarks {PROGRAM}` and commit.",
            file=sys.stderr,
        )
    return 1 if outdated else 0
