"""Reads the files of readings of a command and prints a summary of each on stderr."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import tzinfo
from pathlib import Path

from fncast.cli.output.messages import say
from fncast.failure import Failure
from fncast.series.csv.options import CsvOptions
from fncast.series.step import Step
from fncast.series.time_series import TimeSeries
from fncast.series.window import fillable

FILES = "CSV or TSV, plain or gzip, or - for standard input"
SHOWN_PROBLEMS = 5  # of a file, in the message of --strict


def add_files_argument(parser: argparse.ArgumentParser, *, nargs: str) -> None:
    """Add the files of readings. nargs: `*`, or `+` if the command needs at least one."""
    parser.add_argument(
        "csv",
        nargs=nargs,
        type=Path,
        metavar="FILE",
        help=f"files of readings, `timestamp,value`, wide or long: {FILES}",
    )


def add_reading_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags for reading files of readings, the same in each command. They come last in its help."""
    group = parser.add_argument_group(
        "files of readings", "Without these flags, fncast detects how each file is written."
    )
    _add_column_arguments(group)
    _add_form_arguments(group)
    group.add_argument(
        "--strict",
        action="store_true",
        help="fail if readings are missing, repeated or moved to the nearest step, or if a column is not read",
    )


def _add_column_arguments(group: argparse._ArgumentGroup) -> None:
    """Add the flags for the roles of the columns."""
    group.add_argument(
        "--time-column", metavar="NAME", help="the column of times (default: found in the file)"
    )
    group.add_argument(
        "--value-column",
        action="append",
        metavar="NAME",
        help="a column of values, which is one series; may be repeated (default: all columns of numbers)",
    )
    group.add_argument(
        "--series-column",
        action="append",
        metavar="NAME",
        help="the column that names the series of a long file; may be repeated (default: found in the file)",
    )


def _add_form_arguments(group: argparse._ArgumentGroup) -> None:
    """Add the flags for the form of times and numbers."""
    group.add_argument(
        "--step",
        type=_step,
        metavar="STEP",
        help="time between two readings, in seconds or as an ISO 8601 duration such as PT5M, P7D, P1M,"
        " P3M or P1Y (default: found in each series)",
    )
    group.add_argument(
        "--timezone",
        type=_zone,
        metavar="ZONE",
        help="time zone of times without an offset, such as Europe/Berlin (default: UTC)",
    )
    group.add_argument(
        "--decimal",
        choices=("point", "comma"),
        help="the decimal sign, if the numbers of the file do not show it, such as 1.299 and 1,299",
    )
    group.add_argument(
        "--dates",
        choices=("day-first", "month-first"),
        help="the order of day and month, if the dates of the file do not show it, such as 01/02/2026",
    )


def _step(text: str) -> Step:
    try:
        return Step.parse(text) if text.startswith("P") else Step.seconds(float(text))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a number of seconds nor an ISO 8601 duration such as PT5M, P7D, P1M, P3M or P1Y"
        ) from None


def _zone(text: str) -> tzinfo:
    from fncast.series.csv.times.zone import find_zone

    try:
        return find_zone(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def reading_words(arguments: argparse.Namespace) -> list[str]:
    """The given flags of `add_reading_arguments`, each as one word, for the command line of another process."""
    words: list[str] = []
    for flag, value_or_values in (
        ("--time-column", arguments.time_column),
        ("--value-column", arguments.value_column),
        ("--series-column", arguments.series_column),
        ("--timezone", arguments.timezone),
        ("--decimal", arguments.decimal),
        ("--dates", arguments.dates),
    ):
        values = value_or_values if isinstance(value_or_values, list) else [value_or_values]
        words += [f"{flag}={value}" for value in values if value is not None]
    if arguments.step is not None:
        step: Step = arguments.step
        words.append(f"--step={step}")
    return words + ["--strict"] * arguments.strict


def read_file(path: Path, arguments: argparse.Namespace) -> list[TimeSeries]:
    """The series of one file. Prints its summary. Raises Failure; with `--strict` also for problems in the summary."""
    # Loads the parser, which `--help` does not need.
    from fncast.series.csv.file import CsvError, read_csv_file

    options = CsvOptions(
        time_column=arguments.time_column,
        value_columns=None if arguments.value_column is None else tuple(arguments.value_column),
        series_columns=tuple(arguments.series_column or ()),
        step=arguments.step,
        timezone=arguments.timezone,
        decimal=arguments.decimal,
        dates=arguments.dates,
    )
    try:
        summary = read_csv_file(path, options)
    except CsvError as error:
        raise Failure(str(error)) from None
    say("\n".join(summary.lines()))
    if arguments.strict and (problems := summary.problems()):
        shown = ", ".join(problems[:SHOWN_PROBLEMS])
        more = f" and {len(problems) - SHOWN_PROBLEMS} more" if len(problems) > SHOWN_PROBLEMS else ""
        raise Failure(f"{summary.name}: {shown}{more}, which --strict does not allow")
    return summary.series


def read_series(arguments: argparse.Namespace) -> list[TimeSeries]:
    """All series of all files, with unique names. Raises Failure."""
    check_stdin_once(arguments.csv)
    found = [(path, series) for path in arguments.csv for series in read_file(path, arguments)]
    return distinct(found)


def check_stdin_once(paths: Sequence[Path | str]) -> None:
    """Raises Failure if standard input is named more than once."""
    if sum(str(path) == "-" for path in paths) > 1:
        raise Failure("- (standard input) is named more than once; it can only be read once")


def report_filled_gaps(series: Sequence[TimeSeries], window: int) -> None:
    """Print how many of the missing readings are filled, and how many are in no usable window."""
    missing = sum(each.missing for each in series)
    if missing:
        filled = sum(fillable(each.values, window) for each in series)
        rest = (
            f"; {missing - filled} are in windows that are more than half empty" if filled < missing else ""
        )
        say(f"{filled} of {missing} missing readings are filled, in windows of {window} readings{rest}")


def distinct(found: Sequence[tuple[Path, TimeSeries]]) -> list[TimeSeries]:
    """The series with unique names. Equal names get the file's name in front, and a number if they are still equal."""
    from fncast.series.csv.source import series_name

    counts = Counter(series.name for _, series in found)
    result: dict[str, TimeSeries] = {}
    for path, series in found:
        name = wanted = series.name if counts[series.name] == 1 else f"{series_name(path)}/{series.name}"
        number = 1
        while name in result:
            number += 1
            name = f"{wanted}-{number}"
        result[name] = replace(series, name=name)
    return list(result.values())
