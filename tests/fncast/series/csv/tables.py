"""Tables of CSV texts, for the tests of their columns."""

from __future__ import annotations

from fncast.series.csv.layout import find_layout
from fncast.series.csv.table import CsvTable, parse


def table(text: str) -> CsvTable:
    """The table of a text whose first line is the header."""
    content = text.encode()
    layout = find_layout("file.csv", content, lambda row: False)
    assert layout.header is not None
    return parse("file.csv", content, layout, layout.header)


def column(*cells: str) -> CsvTable:
    """A table with one column beside one that numbers the rows."""
    return table("row,x\n" + "".join(f"{row},{cell}\n" for row, cell in enumerate(cells)))
