"""Runs all measurements, or some: `python -m benchmarks [PART…]`, or `make bench`.

One part accepts its own flags: `python -m benchmarks PART --flags`, or `make bench BENCH="PART --flags"`.
`python -m benchmarks report` only generates the pages.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections.abc import Callable, Sequence

from benchmarks.delay import delay
from benchmarks.growth import growth
from benchmarks.lib import pages
from benchmarks.lib.exit_code import INTERRUPTED
from benchmarks.monitor import monitor
from benchmarks.pipelines import end_to_end
from benchmarks.quality import front
from benchmarks.readings import readings
from benchmarks.serving import model_service, protocols

PARTS: dict[str, Callable[[Sequence[str]], int]] = {
    end_to_end.PROGRAM: end_to_end.main,
    delay.PROGRAM: delay.main,
    model_service.PROGRAM: model_service.main,
    growth.PROGRAM: growth.main,
    readings.PROGRAM: readings.main,
    monitor.PROGRAM: monitor.main,
    protocols.PROGRAM: protocols.main,
    front.PROGRAM: front.main,
}
# Common flags that a part does not accept.
UNSUPPORTED_FLAGS = {
    model_service.PROGRAM: {"bootstrap"},
    monitor.PROGRAM: {"models"},
    protocols.PROGRAM: {"bootstrap", "models"},
    front.PROGRAM: {"bootstrap", "models"},
}


def main(argv: Sequence[str] | None = None) -> int:
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:1] == [pages.PROGRAM]:
        return pages.main(words[1:])
    # Only the second word is compared: a value of a flag may be the name of a part.
    if words and words[0] in PARTS and not PARTS.keys() & words[1:2]:
        return PARTS[words[0]](words[1:])
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Each part writes its result to benchmarks/results and generates the pages from it. One part"
        " accepts its own flags: python -m benchmarks PART --help. `report` only generates the pages.",
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"one of {', '.join(PARTS)} (default: all)")
    parser.add_argument(
        "--bootstrap", metavar="HOST:PORT", help="a running broker (default: Kafka in a container)"
    )
    parser.add_argument("--models", metavar="DIR", help="folder with forecast/<version>/ (default: models)")
    parser.add_argument("--rounds", metavar="N", help="how often each part measures everything (default: 3)")
    parser.add_argument("--print-only", action="store_true", help="do not write results and pages")
    arguments = parser.parse_args(words)
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}")
    failed = []
    for name in arguments.parts or PARTS:
        started_s = time.monotonic()
        print(f"benchmarks: {name}", file=sys.stderr, flush=True)
        try:
            code = PARTS[name](_flags(arguments, UNSUPPORTED_FLAGS.get(name, set())))
        except Exception:  # run the other parts
            traceback.print_exc()
            code = 1
        if code == INTERRUPTED:
            return code
        if code:
            failed.append(name)
        print(
            f"benchmarks: {name}: {(time.monotonic() - started_s) / 60:.1f} minutes",
            file=sys.stderr,
            flush=True,
        )
    if failed:
        print(f"benchmarks: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _flags(arguments: argparse.Namespace, without: set[str]) -> list[str]:
    flags = ["--print-only"] if arguments.print_only else []
    for name in {"bootstrap", "models", "rounds"} - without:
        if (value := getattr(arguments, name)) is not None:
            flags += [f"--{name}", value]
    return flags


if __name__ == "__main__":
    sys.exit(main())
