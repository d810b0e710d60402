"""What the measurements are told on the command line. What cannot be is said before anything is trained or started."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Sequence
from pathlib import Path


def add_stand_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--bootstrap",
        metavar="HOST:PORT",
        help="a broker that is there; topics are made on it and deleted again (default: Kafka in a container)",
    )
    add_model_arguments(parser)


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--models",
        type=Path,
        default=Path("models"),
        metavar="DIR",
        help="holds forecast/<version>/ (default: %(default)s; without one, a small model is trained)",
    )
    parser.add_argument("--print-only", action="store_true", help="write no result, page and chart")


def add_only_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only",
        metavar="TEXT",
        action="append",
        help="only what has this in its name, and only printed; may be repeated",
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
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return number


def whole(text: str) -> int:
    """Raises argparse.ArgumentTypeError."""
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)


def is_chosen(name: str, only: Sequence[str] | None) -> bool:
    """Whether it holds one of the texts of --only; all do without any."""
    return not only or any(text in name for text in only)


def apply_only(parser: argparse.ArgumentParser, arguments: argparse.Namespace, names: Iterable[str]) -> None:
    """Ends the program if a text of --only is in no name. Some of the rows are only printed, lest they take the
    place of all of them."""
    known = list(dict.fromkeys(names))
    arguments.print_only = arguments.print_only or bool(arguments.only)
    for text in arguments.only or ():
        if not any(text in name for name in known):
            parser.error(f"--only {text}: nothing has that in its name; there are: {'; '.join(known)}")


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rounds: 1 or more")
    return int(text)
