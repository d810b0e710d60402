"""Command line flags of the measurements. They are checked before a model is trained or a process is started."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Sequence
from pathlib import Path


def add_testbed_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--bootstrap",
        metavar="HOST:PORT",
        help="an existing broker; topics are created on it and deleted again (default: Kafka in a container)",
    )
    add_model_arguments(parser)


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--models",
        type=Path,
        default=Path("models"),
        metavar="DIR",
        help="folder with forecast/<version>/ (default: %(default)s; if it holds no model, a small one is trained)",
    )
    parser.add_argument(
        "--print-only", action="store_true", help="do not change docs/performance.md and its plots"
    )


def add_only_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only",
        metavar="TEXT",
        action="append",
        help="measure only what has TEXT in its name, and only print; may be repeated",
    )


def add_rounds_argument(
    parser: argparse.ArgumentParser, default: int | None = 3, text: str = "default: %(default)s"
) -> None:
    parser.add_argument("--rounds", type=_count, default=default, metavar="N", help=text)


def positive(text: str) -> float:
    """The number of a flag. Raises argparse.ArgumentTypeError."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def whole(text: str) -> int:
    """The whole number of a flag. Raises argparse.ArgumentTypeError."""
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def is_chosen(name: str, only: Sequence[str] | None) -> bool:
    """Whether `name` contains one of the texts of --only. True for all names without --only."""
    return not only or any(text in name for text in only)


def apply_only(parser: argparse.ArgumentParser, arguments: argparse.Namespace, names: Iterable[str]) -> None:
    """Exit with usage help if a text of --only matches no name.

    --only implies --print-only: a few rows must not replace the whole table of the page."""
    known = list(dict.fromkeys(names))
    arguments.print_only = arguments.print_only or bool(arguments.only)
    for text in arguments.only or ():
        if not any(text in name for name in known):
            parser.error(f"--only {text}: no name contains this text. The names are: {'; '.join(known)}")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of rounds, 1 or more")
    return int(text)
