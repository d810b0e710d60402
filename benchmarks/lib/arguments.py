"""Command-line arguments of the measurements. Wrong ones are reported before anything is trained or started."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path


def measurement_parser(
    program: str,
    description: str | None,
    add_arguments: Callable[[argparse.ArgumentParser], None],
) -> argparse.ArgumentParser:
    """Return the parser of a part of `python -m benchmarks`, with --only.

    description: printed with its line breaks. add_arguments: `add_testbed_arguments`, `add_broker_arguments`
    or `add_model_arguments`.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks {program}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    parser.add_argument(
        "--only",
        metavar="TEXT",
        action="append",
        help="measure only the rows with this text in their name, and only print the result; may be repeated",
    )
    return parser


def add_testbed_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a measurement that needs a broker and a trained model."""
    _add_bootstrap_argument(parser)
    add_model_arguments(parser)


def add_broker_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a measurement that needs a broker and no trained model."""
    _add_bootstrap_argument(parser)
    _add_print_argument(parser)
    parser.set_defaults(models=None)


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a measurement that needs a trained model and no broker."""
    parser.add_argument(
        "--models",
        type=Path,
        default=Path("models"),
        metavar="DIR",
        help="folder with forecast/<version>/ (default: %(default)s; without a model, a small one is trained)",
    )
    _add_print_argument(parser)


def add_rounds_argument(
    parser: argparse.ArgumentParser, default: int | None = 3, default_text: str = "%(default)s"
) -> None:
    """Add --rounds. default_text: the default, as --help shows it."""
    parser.add_argument(
        "--rounds",
        type=positive_integer,
        default=default,
        metavar="N",
        help=f"how often to measure everything (default: {default_text})",
    )


def positive_number(text: str) -> float:
    """Parse a flag's number above 0. Raises argparse.ArgumentTypeError."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def positive_integer(text: str) -> int:
    """Parse a flag's integer above 0. Raises argparse.ArgumentTypeError."""
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not an integer above 0")
    return int(text)


def is_chosen(name: str, only: Sequence[str] | None) -> bool:
    """Whether the name contains one of the texts of --only. True without --only."""
    return not only or any(text in name for text in only)


def apply_only(parser: argparse.ArgumentParser, arguments: argparse.Namespace, names: Iterable[str]) -> None:
    """Exit with an error if a text of --only is not part of any name.

    With --only the rows are printed but not written: they would replace a complete result.
    """
    known = list(dict.fromkeys(names))
    arguments.print_only = arguments.print_only or bool(arguments.only)
    for text in arguments.only or ():
        if not any(text in name for name in known):
            parser.error(f"--only {text}: no name contains this text; the names are: {'; '.join(known)}")


def _add_bootstrap_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--bootstrap",
        metavar="HOST:PORT",
        help="a running broker, on which topics are created and deleted again (default: Kafka in a container)",
    )


def _add_print_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--print-only", action="store_true", help="print the result instead of writing result, page and chart"
    )
