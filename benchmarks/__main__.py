"""All measurements, one after the other: `python -m benchmarks [PART…] [--flags of the parts]`, or `make bench`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence

from benchmarks import delay, end_to_end, growth, model_service
from benchmarks.stand import INTERRUPTED

PARTS: dict[str, Callable[[Sequence[str]], int]] = {
    end_to_end.PROGRAM: end_to_end.main,
    delay.PROGRAM: delay.main,
    model_service.PROGRAM: model_service.main,
    growth.PROGRAM: growth.main,
}


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Each part writes its section of docs/performance.md; python -m benchmarks.PART --help tells more.",
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)} (default: all)")
    parser.add_argument(
        "--bootstrap", metavar="HOST:PORT", help="a broker that is there (default: Kafka in a container)"
    )
    parser.add_argument("--models", metavar="DIR", help="holds forecast/<version>/ (default: models)")
    parser.add_argument("--rounds", metavar="N", help="of each part (default: 3)")
    parser.add_argument("--print-only", action="store_true", help="leave docs/performance.md alone")
    arguments = parser.parse_args(argv)
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    flags = ["--print-only"] if arguments.print_only else []
    for name in ("models", "rounds"):
        if (value := getattr(arguments, name)) is not None:
            flags += [f"--{name}", value]
    failed = []
    for name in arguments.parts or PARTS:
        started_s = time.monotonic()
        print(f"benchmarks: {name}", file=sys.stderr, flush=True)
        kafka = (
            []
            if name == model_service.PROGRAM or not arguments.bootstrap
            else ["--bootstrap", arguments.bootstrap]
        )
        code = PARTS[name]([*flags, *kafka])
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


if __name__ == "__main__":
    sys.exit(main())
