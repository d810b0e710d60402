"""The flags that say how a CSV file is to be read, from the command line to the series."""

from __future__ import annotations

import argparse
import gzip
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from fncast.cli.arguments.series_files import (
    add_files_argument,
    add_reading_arguments,
    distinct,
    read_series,
    reading_words,
    report_filled_gaps,
)
from fncast.cli.main import build_parser
from fncast.failure import Failure
from fncast.series.step import Step
from fncast.series.time_series import TimeSeries

LONG = "note,when,shelf,sold,left\nx,2026-01-01,1,5,9\ny,2026-01-02,1,6,8\nz,2026-01-01,2,7,7\nz,2026-01-03,2,8,6\n"


def read(folder: Path, *flags: str, text: str = LONG) -> list[TimeSeries]:
    path = folder / "shop.csv"
    path.write_text(text)
    parser = argparse.ArgumentParser()
    add_files_argument(parser, nargs="*")
    add_reading_arguments(parser)
    return read_series(parser.parse_args([str(path), *flags]))


def test_columns_are_chosen_by_name(tmp_path: Path) -> None:
    flags = ["--time-column", "when", "--series-column", "shelf"]
    series = read(tmp_path, *flags, "--value-column", "sold")
    assert {each.name: each.values.tolist() for each in series} == {"1": [5, 6], "2": [7, 8]}
    both = read(tmp_path, *flags, "--value-column", "sold", "--value-column", "left")
    assert [each.name for each in both] == ["1/sold", "1/left", "2/sold", "2/left"]


@pytest.mark.parametrize("flag", ["--time-column", "--value-column", "--series-column"])
def test_a_missing_column_is_an_error_that_lists_the_columns(tmp_path: Path, flag: str) -> None:
    with pytest.raises(Failure, match="no column 'none'; the columns are note, when, shelf, sold, left"):
        read(tmp_path, flag, "none")


@pytest.mark.parametrize(
    ("word", "step"),
    [("43200", Step.seconds(43200)), ("0.5", Step.seconds(0.5)), ("P1M", Step.calendar("P1M"))],
)
def test_a_step_is_seconds_or_a_calendar_period(tmp_path: Path, word: str, step: Step) -> None:
    days = "timestamp,value\n2026-01-01,1\n2026-01-02,2\n"
    if word == "0.5":
        days = "timestamp,value\n0,1\n1,2\n"
    [series] = read(tmp_path, "--step", word, text=days)
    assert series.step == step


@pytest.mark.parametrize("word", ["0", "-1", "nan", "P1X", "P0M", "P1M1D", "P", "hourly"])
def test_a_wrong_step_is_wrong_usage(tmp_path: Path, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read(tmp_path, f"--step={word}")
    assert "neither a number of seconds nor an ISO 8601 duration" in capsys.readouterr().err


def test_the_number_of_filled_readings_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A short gap is filled. Of a gap as long as a window and a half, the middle stays missing."""
    there = [*range(10), *range(11, 20), *range(32, 45)]
    series = read(
        tmp_path, text="timestamp,value\n" + "\n".join(f"{1_700_000_000 + 60 * i},{i}" for i in there)
    )
    gaps = "13 missing in 2 gaps, bridged in windows that are at least half full"
    assert gaps in capsys.readouterr().err
    report_filled_gaps(series, 8)
    filled = (
        "9 of 13 missing readings are filled, in windows of 8 readings;"
        " 4 are in windows that are more than half empty"
    )
    assert filled in capsys.readouterr().err
    report_filled_gaps(series, 40)
    assert "13 of 13 missing readings are filled, in windows of 40 readings\n" in capsys.readouterr().err
    report_filled_gaps([each for each in series if not each.missing], 8)
    assert not capsys.readouterr().err


HOURS = "".join(f"2026-01-{1 + hour // 24:02}T{hour % 24:02}:00:00Z{{0}}{hour}{{0}}x\n" for hour in range(60))


def hours(delimiter: str) -> bytes:
    return (f"time{delimiter}load{delimiter}note\n" + HOURS.format(delimiter)).encode()


@pytest.mark.parametrize("command", ["train", "evaluate", "produce", "demo"])
def test_every_command_has_the_same_reading_flags(command: str) -> None:
    words = ["--time-column", "t", "--value-column", "a", "--value-column", "b", "--series-column", "s"]
    words += [
        "--step",
        "P1M",
        "--timezone",
        "Europe/Berlin",
        "--decimal",
        "comma",
        "--dates",
        "day-first",
        "--strict",
    ]
    needed = ["--models", "models"] if command in ("train", "evaluate") else []
    files = ["--csv", "x.csv"] if command == "demo" else ["x.csv"]
    arguments = build_parser(command).parse_args([command, *files, *needed, *words])
    assert (arguments.time_column, arguments.value_column, arguments.series_column) == (
        "t",
        ["a", "b"],
        ["s"],
    )
    assert (arguments.step, str(arguments.timezone)) == (Step.calendar("P1M"), "Europe/Berlin")
    assert (arguments.decimal, arguments.dates, arguments.strict) == ("comma", "day-first", True)
    again = build_parser(command).parse_args([command, *files, *needed, *reading_words(arguments)])
    assert again == arguments


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("load.csv", hours(",")),
        ("load.tsv", hours("\t")),
        ("load.txt", hours(";")),
        ("load.csv.gz", gzip.compress(hours(","))),
        ("load.tsv.gz", gzip.compress(hours("\t"))),
        ("load.txt.gz", gzip.compress(hours("|"))),
    ],
)
def test_each_usual_kind_of_file_is_read(
    tmp_path: Path, name: str, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    parser = argparse.ArgumentParser()
    add_files_argument(parser, nargs="*")
    add_reading_arguments(parser)
    [series] = read_series(parser.parse_args([str(path)]))
    assert series.name == "load"
    assert series.values.tolist() == list(range(60))
    assert capsys.readouterr().err.splitlines() == [
        f"{path}: 60 rows; 1 series (load); 2026-01-01T00:00:00Z to 2026-01-03T11:00:00Z; step 3600 s;"
        " 0 missing, 0 repeated, 0 moved",
        "  not read: column 'note': it holds text, 'x' only",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "time,a,note\n2026-01-01,1,x\n2026-01-02,2,y\n2026-01-03,3,x\n2026-01-04,3,x\n",
            "column 'note' not read",
        ),
        ("time,a\n2026-01-01,1\n2026-01-02,\n2026-01-03,3\n", "1 reading missing"),
        ("time,a\n2026-01-01,1\n2026-01-02,2\n2026-01-04,3\n2026-01-05,4\n", "1 reading missing"),
        (
            "time,a\n" + "".join(f"2026-01-{day:02},{day}\n" for day in range(1, 21)) + "2026-01-20,21\n",
            "1 reading repeated",
        ),
        (
            "time,a\n2026-01-01T00:00,1\n2026-01-01T01:00,2\n2026-01-01T02:20,3\n2026-01-01T03:00,3\n2026-01-01T04:00,3\n",
            "1 reading moved to a step",
        ),
    ],
)
def test_strict_turns_each_problem_of_the_summary_into_a_failure(
    tmp_path: Path, text: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read(tmp_path, text=text)
    with pytest.raises(Failure, match=f"{problem}, which --strict does not allow"):
        read(tmp_path, "--strict", text=text)
    assert "rows; " in capsys.readouterr().err


def test_strict_allows_a_file_without_problems(tmp_path: Path) -> None:
    text = "time,a,note,\n2026-01-01,1,x,\n2026-01-02,2,y,\n"
    assert read(tmp_path, "--strict", "--value-column", "a", text=text)


def test_a_wrong_zone_and_repeated_standard_input_are_rejected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        read(tmp_path, "--timezone", "Europe/Nowhere")
    assert "'Europe/Nowhere' is not a time zone such as Europe/Berlin" in capsys.readouterr().err
    with pytest.raises(Failure, match=r"standard input.* more than once"):
        read(tmp_path, "-", "-")


@pytest.mark.parametrize(
    "module",
    ["fncast.series.window", "fncast.series.step", "fncast.series.grid", "fncast.cli.commands.produce"],
)
def test_the_parser_is_imported_only_when_a_file_is_read(module: str) -> None:
    code = f"import sys, {module}; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_each_series_has_another_name_even_where_a_name_looks_like_a_numbered_one() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    names = [("f.csv", "x"), ("f.csv", "x"), ("g.csv", "f/x-2")]
    found = [(Path(file), TimeSeries(name, start, Step.seconds(1.0), np.zeros(2))) for file, name in names]
    assert [series.name for series in distinct(found)] == ["f/x", "f/x-2", "f/x-2-2"]
