"""The names of columns in a file without a header."""

from pathlib import Path

from fncast.series.csv.columns.columns import default_header
from tests.fncast.series.csv.texts import read


def test_a_file_without_a_header_is_read(tmp_path: Path) -> None:
    [series] = read(tmp_path, "2026-01-01,1\n2026-01-02,2\n").series
    assert series.values.tolist() == [1, 2]


def test_the_columns_of_a_file_without_a_header_have_names() -> None:
    assert default_header(2) == ("timestamp", "value")
    assert default_header(4) == ("timestamp", "column_2", "column_3", "column_4")
