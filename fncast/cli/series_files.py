"""Reads the CSV files that a command is given, and tells on stderr what was mended."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from fncast.failure import Failure
from fncast.series.csv_file import CsvError, read_csv_mended
from fncast.series.series import Series
from fncast.series.step import Step
from fncast.series.window import fillable

# More lines about mended series than these hide the rest of the output.
MAX_MENDED_LINES = 20


def add_csv_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "csv", nargs="*", type=Path, metavar="CSV", help="files of readings: `timestamp,value`, wide or long"
    )
    parser.add_argument(
        "--time-column", metavar="NAME", help="the column of times (default: found by its name)"
    )
    parser.add_argument(
        "--value-column",
        action="append",
        metavar="NAME",
        help="a column of values, each a series of its own; may be repeated (default: all that have a name and hold"
        " numbers)",
    )
    parser.add_argument(
        "--series-column", metavar="NAME", help="the column that names the series of a long file"
    )
    parser.add_argument(
        "--step",
        type=_step,
        metavar="STEP",
        help="time between two readings, in seconds or as an ISO 8601 duration such as PT5M, P7D, P1M,"
        " P3M or P1Y (default: found in each series)",
    )


def _step(text: str) -> Step:
    try:
        return Step.parse(text) if text.startswith("P") else Step.seconds(float(text))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a number of seconds nor an ISO 8601 duration such as PT5M, P1M or P1Y"
        ) from None


def read_series(arguments: argparse.Namespace) -> list[Series]:
    """All series of all files, under names that differ. Raises Failure."""
    found: list[tuple[Path, Series]] = []
    lines = []
    for path in arguments.csv:
        try:
            pairs = read_csv_mended(
                path,
                time_column=arguments.time_column,
                value_columns=arguments.value_column,
                series_column=arguments.series_column,
                step=arguments.step,
            )
        except CsvError as error:
            raise Failure(str(error)) from None
        for series, mended in pairs:
            found.append((path, series))
            if mended:
                lines.append(f"{path}: {mended}")
    for line in lines[:MAX_MENDED_LINES]:
        print(line, file=sys.stderr)
    if len(lines) > MAX_MENDED_LINES:
        print(f"… and {len(lines) - MAX_MENDED_LINES} more series were mended", file=sys.stderr)
    return _distinct(found)


def tell_filled(series: Sequence[Series], window: int) -> None:
    """Say how many of the missing readings are filled, and how many no window of the model reaches."""
    missing = sum(one.missing for one in series)
    if missing:
        filled = sum(fillable(one.values, window) for one in series)
        rest = (
            f"; {missing - filled} lie where less than half of a window is there" if filled < missing else ""
        )
        print(
            f"{filled} of {missing} missing readings are filled, in windows of {window}{rest}",
            file=sys.stderr,
        )


def _distinct(found: list[tuple[Path, Series]]) -> list[Series]:
    """Series of the same name are told apart by their file, and those still the same by a number."""
    counts = Counter(series.name for _, series in found)
    taken: Counter[str] = Counter()
    result = []
    for path, series in found:
        name = series.name if counts[series.name] == 1 else f"{path.stem}/{series.name}"
        taken[name] += 1
        if taken[name] > 1:
            name = f"{name}-{taken[name]}"
        result.append(replace(series, name=name))
    return result
