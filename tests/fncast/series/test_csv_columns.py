"""The names of columns in a file without a header."""

from pathlib import Path

from tests.fncast.series.csv_texts import read


def test_without_header(tmp_path: Path) -> None:
    [series] = read(tmp_path, "2026-01-01,1\n2026-01-02,2\n").series
    assert series.values.tolist() == [1, 2]
