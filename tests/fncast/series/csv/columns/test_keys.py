"""The rows of a long file are those of their series."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from fncast.series.csv.file import CsvError
from fncast.series.step import Step
from tests.fncast.series.csv.texts import HOURS, lines, read, values


@pytest.mark.parametrize("column", ["unique_id", "host"])
def test_long_file_is_one_series_a_name(tmp_path: Path, column: str) -> None:
    text = f"ds,{column},y\n2026-01-01,b,10\n2026-01-01,a,1\n2026-01-02,a,2\n2026-01-02,b,20\n"
    assert values(read(tmp_path, text)) == {"b": [10, 20], "a": [1, 2]}


@pytest.mark.parametrize("flag", [None, ("load",)])
@pytest.mark.parametrize(
    "texts", [["sun", "rain"], ["", "", "", "holiday"], ["Monday"] * 24 + ["Tuesday"] * 24]
)
def test_remarks_on_readings_do_not_name_series(
    tmp_path: Path, texts: list[str], flag: tuple[str, ...] | None
) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rng = np.random.default_rng(0)
    remarks = [
        texts[i] for i in (rng.integers(2, size=240) if len(texts) == 2 else np.arange(240) % len(texts))
    ]
    text = lines(
        "timestamp,load,remark", lambda i: f"{start + timedelta(hours=i)},{i},{remarks[i]}", len(remarks)
    )
    [series] = read(tmp_path, text, value_columns=flag).series
    assert (series.name, series.values.tolist()) == ("load", list(range(240)))


def test_hosts_that_report_alternately_are_separate_series(tmp_path: Path) -> None:
    text = lines("timestamp,host,load", lambda i: f"{1_700_000_000 + 60 * i},{'ab'[i % 2]},{i}", 100)
    assert {series.name: series.step for series in read(tmp_path, text).series} == dict.fromkeys(
        "ab", Step.seconds(120)
    )


@pytest.mark.parametrize(
    "cells", [["0x1F", "0x20"], ["1_0", "2_0"], ["1.2k", "2k"], ["１２", "１３"], ["'1", "'2"]]
)
def test_numbers_in_another_form_are_not_taken_for_names_of_series(tmp_path: Path, cells: list[str]) -> None:
    text = lines("time,a,b", lambda i: f"{HOURS[i]},{cells[i % 2]},{i}")
    with pytest.raises(
        CsvError, match="may be names of series, or numbers in a form that is not read; pass --ser"
    ):
        read(tmp_path, text)
    assert set(values(read(tmp_path, text, series_columns=("a",)))) == set(cells)
    both = "".join(f"{HOURS[i]},{cell},{i}\n" for i in range(10) for cell in cells)
    assert set(values(read(tmp_path, "time,a,b\n" + both))) == set(cells)


def test_names_that_are_equal_only_when_joined_are_an_error(tmp_path: Path) -> None:
    keys = ["a/b,c", "a,b/c"]
    text = lines("time,host,disk,v", lambda i: f"{HOURS[i // 2]},{keys[i % 2]},{i}")
    with pytest.raises(CsvError, match="two series have the name 'a/b/c'; rename"):
        read(tmp_path, text, series_columns=("host", "disk"))


@pytest.mark.parametrize("texts", [["Mon", "Tue"], ["day", "day", "day", "day", "day", "night"]])
def test_texts_that_split_one_regular_series_are_asked_about(tmp_path: Path, texts: list[str]) -> None:
    text = lines(
        "time,part,v",
        lambda i: f"{HOURS[i]},{texts[i * len(texts) // 24 if len(texts) > 2 else i % 2]},{i}",
        24,
    )
    with pytest.raises(CsvError, match="pass --series-column part if they name series, or --value-column"):
        read(tmp_path, text)
    assert set(values(read(tmp_path, text, series_columns=("part",)))) == set(texts)
    summary = read(tmp_path, text, value_columns=("v",))
    assert values(summary) == {"v": list(range(24))}
