"""The summary of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from fncast.series.csv.file import CsvError
from tests.fncast.series.csv.texts import BERLIN, HOURS, lines, read


def test_one_gap_is_not_gaps(tmp_path: Path) -> None:
    text = "".join(f"{HOURS[i]},{i}\n" for i in range(12) if i != 5)
    assert any("1 missing in 1 gap, bridged" in line for line in read(tmp_path, f"time,x\n{text}").lines())


def test_names_are_printed_without_control_characters(tmp_path: Path) -> None:
    name = "\x1b[2Jevil"
    summary = read(tmp_path, lines(f"time,{name},y", lambda i: f"{HOURS[i]},{'' if i == 3 else i},{name}"))
    assert len(summary.lines()) == 3
    assert all(line.isprintable() for line in summary.lines())
    with pytest.raises(CsvError) as caught:
        read(tmp_path, lines(f"{name},y", lambda i: f"{name},{i}"))
    assert str(caught.value).isprintable()


def test_the_summary_is_bounded(tmp_path: Path) -> None:
    names = ",".join(f"s{at}" for at in range(200))
    cells = ",".join("x" for _ in range(150)) + "," + ",".join("" if at % 2 else "1" for at in range(50))
    text = lines(f"time,{names}", lambda i: f"{HOURS[i]},{cells}")
    printed = read(tmp_path, text).lines()
    assert len(printed) == 20
    assert printed[-1].endswith("more lines like these")


def test_units_are_named(tmp_path: Path) -> None:
    summary = read(tmp_path, lines("time,a,b,c", lambda i: f"{HOURS[i]},{i}%,{i} %,1.{i}K"))
    assert "  units: '%' in 2 columns, 'K' in 1 column" in summary.lines()


def test_months_that_begin_at_another_hour_are_noted(tmp_path: Path) -> None:
    """Months of Berlin, written in UTC."""
    ends = [31, 31, 28, 31, 30, 31, 30, 31, 31, 30]  # of December to September
    text = lines("time,v", lambda i: f"{2024 + (i > 0)}-{i or 12:02}-{ends[i]}T{23 if i < 3 else 22}:00Z,{i}")
    assert "some months begin at another hour" in read(tmp_path, text).notes[0]
    summary = read(tmp_path, text, timezone=BERLIN)
    assert summary.notes == []
    assert [summary.series[0].time(i).month for i in range(10)] == list(range(1, 11))
