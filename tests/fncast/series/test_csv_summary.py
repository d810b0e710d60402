"""The summary of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from fncast.series.csv_file import CsvError
from tests.fncast.series.csv_texts import HOURS, lines, read


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
