"""Measures how fncast scales: latency of the function, event size, partitions, processes, series; memory; CPU by step.

Each round of a part measures all its settings, with exactly-once delivery, and reads all forecasts back. All parts take
about 10 minutes a round; --part chooses some.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable, Sequence

from benchmarks.growth.cost import cost_by_step
from benchmarks.growth.memory import memory
from benchmarks.growth.sweeps import latency, partitions, processes, series, size
from benchmarks.lib import machine, pages, report
from benchmarks.lib.arguments import add_rounds_argument, add_testbed_arguments, positive_number
from benchmarks.lib.rounds import reason, rounds_text
from benchmarks.lib.testbed import Testbed, run_on_testbed

PROGRAM = "growth"
Part = Callable[[Testbed, argparse.Namespace], Awaitable[list[report.Block | None]]]
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
        prog=f"python -m benchmarks {PROGRAM}",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_testbed_arguments(parser)
    parser.add_argument(
        "--part", action="append", choices=PARTS, help="a part to measure; may be repeated (default: all)"
    )
    add_rounds_argument(parser)
    parser.add_argument(
        "--scale",
        type=positive_number,
        default=1.0,
        help="factor for all numbers of events (default: %(default)s)",
    )
    arguments = parser.parse_args(argv)
    return run_on_testbed(arguments, PROGRAM, lambda testbed: measure(testbed, arguments))


async def measure(testbed: Testbed, arguments: argparse.Namespace) -> int:
    """Measure, print and write the results. Returns the exit code."""
    failed = []
    facts = machine.facts(testbed.broker.name, f"{rounds_text(arguments.rounds)}, scale {arguments.scale:g}")
    await testbed.warm_up(arguments.scale)
    for name in arguments.part or PARTS:
        print(f"{PROGRAM}: {name}", file=sys.stderr, flush=True)
        testbed.failed.clear()
        try:
            blocks = await PARTS[name](testbed, arguments)
        except Exception as error:  # measure the other parts
            print(f"{PROGRAM}: {name}: {reason(error)}", file=sys.stderr)
            failed.append(name)
            continue
        if testbed.failed:
            blocks = [*blocks, f"Failed: {'; '.join(testbed.failed)}."]
            failed.append(name)
        if arguments.print_only:
            print(report.markdown(blocks))
        else:
            report.save(f"{PROGRAM}-{name}", facts, blocks)
            pages.generate()
    if failed:
        print(f"{PROGRAM}: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
