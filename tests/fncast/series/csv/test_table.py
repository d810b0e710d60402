"""Lines are counted, memory is bounded."""

from __future__ import annotations

from pathlib import Path

import pytest

from fncast.series.csv.file import CsvError
from tests.fncast.series.csv.texts import lines, read


def test_lines_are_counted_across_comments_and_long_cells(tmp_path: Path) -> None:
    text = '# first\ntime,note,value\n2026-01-01,"two\nlines",1\n\n# comment\n2026-01-02,x,2\n2026-01-03,y,warm\n'
    with pytest.raises(CsvError, match="line 8: 'warm' is not a number"):
        read(tmp_path, text + "".join(f"2026-01-0{day},on,{day}\n" for day in range(4, 10)))


def test_a_header_of_a_million_names_is_rejected(tmp_path: Path) -> None:
    names = ",".join(f"c{i}" for i in range(200_000))
    with pytest.raises(
        CsvError, match="line 1: is longer than 1048576 bytes; write one line for each reading"
    ):
        read(tmp_path, f"time,{names}\n2026-01-01,1\n")


def test_a_header_that_repeats_is_skipped_and_counted(tmp_path: Path) -> None:
    header = "time,value\n"
    summary = read(tmp_path, f"{header}2026-01-01,1\n{header}2026-01-02,2\n")
    assert summary.notes == ["lines that repeat the header were skipped: 1"]


def test_many_readings_need_little_memory(tmp_path: Path) -> None:
    """The texts of a column are freed after it is read."""
    import pyarrow as pa

    before = pa.total_allocated_bytes()
    summary = read(tmp_path, lines("time,x", lambda i: f"{1_700_000_000 + i},{i}.5", 200_000))
    assert len(summary.series[0]) == 200_000
    assert pa.total_allocated_bytes() - before < 1_000_000
