"""How fncast grows: with the function's latency, size, partitions, processes, series; its memory; its cost by step.

Each part takes turns over its settings, exactly-once, and all forecasts are read back. All parts take about 10
minutes a round; --part chooses some.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable, Sequence

from benchmarks.growth.cost import cost_by_step
from benchmarks.growth.memory import memory
from benchmarks.growth.sweeps import latency, partitions, processes, series, size
from benchmarks.lib import machine, pages, report
from benchmarks.lib.arguments import add_rounds_argument, add_stand_arguments, positive
from benchmarks.lib.rounds import reason
from benchmarks.lib.testbed import Stand, on_stand

PROGRAM = "growth"
Part = Callable[[Stand, argparse.Namespace], Awaitable[list[report.Block | None]]]
PARTS: dict[str, Part] = {
    "latency": latency,
    "size": size,
    "partitions": partitions,
    "processes": processes,
    "series": series,
    "memory": memory,
    "steps": cost_by_step,
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{PROGRAM}",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_stand_arguments(parser)
    parser.add_argument("--part", action="append", choices=PARTS, help="may be repeated (default: all)")
    add_rounds_argument(parser)
    parser.add_argument(
        "--scale", type=positive, default=1.0, help="of all numbers of events (default: %(default)s)"
    )
    arguments = parser.parse_args(argv)
    return on_stand(arguments, PROGRAM, lambda stand: _measure(stand, arguments))


async def _measure(stand: Stand, arguments: argparse.Namespace) -> int:
    """Measure, print, write; the exit code."""
    failed = []
    facts = machine.facts(stand.broker.name, f"{arguments.rounds} rounds, scale {arguments.scale:g}")
    await stand.warm_up(arguments.scale)
    for name in arguments.part or PARTS:
        print(f"{PROGRAM}: {name}", file=sys.stderr, flush=True)
        stand.failed.clear()
        try:
            blocks = await PARTS[name](stand, arguments)
        except Exception as error:  # whatever it is, the parts after it are measured
            print(f"{PROGRAM}: {name}: {reason(error)}", file=sys.stderr)
            failed.append(name)
            continue
        if stand.failed:
            blocks = [*blocks, f"Failed: {'; '.join(stand.failed)}."]
            failed.append(name)
        if arguments.print_only:
            print(report.text(blocks))
        else:
            report.save(f"{PROGRAM}-{name}", facts, blocks)
            pages.generate()
    if failed:
        print(f"{PROGRAM}: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
