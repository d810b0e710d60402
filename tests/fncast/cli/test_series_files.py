"""The flags that say how a CSV file is to be read, from the command line to the series."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from fncast.cli.series_files import add_csv_arguments, read_series, tell_filled
from fncast.failure import Failure
from fncast.series.series import Series
from fncast.series.step import Step

LONG = "note,when,shelf,sold,left\nx,2026-01-01,1,5,9\ny,2026-01-02,1,6,8\nz,2026-01-01,2,7,7\nz,2026-01-03,2,8,6\n"


def read(folder: Path, *flags: str, text: str = LONG) -> list[Series]:
    path = folder / "shop.csv"
    path.write_text(text)
    parser = argparse.ArgumentParser()
    add_csv_arguments(parser)
    return read_series(parser.parse_args([str(path), *flags]))


def test_columns_are_taken_by_their_names(tmp_path: Path) -> None:
    flags = ["--time-column", "when", "--series-column", "shelf"]
    series = read(tmp_path, *flags, "--value-column", "sold")
    assert {one.name: one.values.tolist() for one in series} == {"1": [5, 6], "2": [7, 8]}
    both = read(tmp_path, *flags, "--value-column", "sold", "--value-column", "left")
    assert [one.name for one in both] == ["1/sold", "1/left", "2/sold", "2/left"]


@pytest.mark.parametrize("flag", ["--time-column", "--value-column", "--series-column"])
def test_a_column_that_is_not_there_is_told_with_those_that_are(tmp_path: Path, flag: str) -> None:
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
def test_what_is_no_step(tmp_path: Path, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read(tmp_path, f"--step={word}")
    assert "neither a number of seconds nor an ISO 8601 duration" in capsys.readouterr().err


def test_how_many_missing_readings_are_filled_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One in a short gap is; of a gap as long as a window and a half the middle is not."""
    there = [*range(10), *range(11, 20), *range(32, 45)]
    series = read(
        tmp_path, text="timestamp,value\n" + "\n".join(f"{1_700_000_000 + 60 * i},{i}" for i in there)
    )
    told = "13 missing in 2 gaps, bridged where at least half of a window is there"
    assert told in capsys.readouterr().err
    tell_filled(series, 8)
    told = "9 of 13 missing readings are filled, in windows of 8; 4 lie where less than half of a window is there"
    assert told in capsys.readouterr().err
    tell_filled(series, 40)
    assert "13 of 13 missing readings are filled, in windows of 40\n" in capsys.readouterr().err
    tell_filled([one for one in series if not one.missing], 8)
    assert not capsys.readouterr().err
