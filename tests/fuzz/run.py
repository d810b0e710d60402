"""Feeds random and mutated inputs to the code that parses untrusted bytes, and reports failures.

usage: run.py [--target NAME|all] [--minutes 1] [--count N] [--seed 0]

A target is a file fuzz_<target>.py in this folder with a function `run(randomly: Random, until: Until) -> Report`, see
fuzz_report.py. It draws all its inputs from `randomly`, so that the same seed gives the same inputs. `all` divides the
minutes among the targets. Exit code: 0, or 1 if an input was handled wrongly.
"""

from __future__ import annotations

import argparse
import importlib
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from fuzz_report import Report, Until  # noqa: E402

TARGETS = ("record", "readings", "csv", "dead-letters", "rest", "graphpipe", "monitor")
Run = Callable[[random.Random, Until], Report]


def main() -> int:
    arguments = _arguments()
    targets = TARGETS if arguments.target == "all" else (arguments.target,)
    seconds = 60 * arguments.minutes / len(targets)
    failed = 0
    for name in targets:
        run: Run = importlib.import_module(f"fuzz_{name.replace('-', '_')}").run
        started = time.monotonic()
        # Each target has its own seed, so that `--target NAME` repeats the inputs of `all`.
        report = run(random.Random(f"{arguments.seed} {name}"), _until(started + seconds, arguments.count))
        _print(name, arguments.seed, report, time.monotonic() - started)
        failed += report.failed
    return 1 if failed else 0


def _until(end_s: float, count: int | None) -> Until:
    def is_over(tried: int) -> bool:
        return tried >= count if count is not None else time.monotonic() >= end_s

    return is_over


def _print(name: str, seed: int, report: Report, seconds: float) -> None:
    outcomes = ", ".join(f"{outcome}: {count:,}" for outcome, count in sorted(report.outcomes.items()))
    print(
        f"{name}: {report.count:,} inputs in {seconds:.0f} s with seed {seed}, {report.failed:,} failures ({outcomes})",
        flush=True,
    )
    for failure in report.failures:
        print(f"  {failure}", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--target", choices=(*TARGETS, "all"), default="all", help="default: %(default)s")
    parser.add_argument(
        "--minutes", type=float, default=1, help="minutes for all targets (default: %(default)s)"
    )
    parser.add_argument("--count", type=int, help="inputs for each target, instead of --minutes")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
