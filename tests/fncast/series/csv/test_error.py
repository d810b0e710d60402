"""Messages about files are one line, bounded, and safe to print."""

from __future__ import annotations

from fncast.series.csv.error import MAX_MESSAGE, MAX_SHOWN, CsvError, quoted, quoted_list


def test_a_message_is_one_printable_line() -> None:
    text = str(CsvError("a.csv: \x1b[2J\r\ncolumn \u202e"))
    assert text == "a.csv: � column �"


def test_a_long_message_is_cut_and_marked() -> None:
    text = str(CsvError("x" * (MAX_MESSAGE + 1)))
    assert text == "x" * (MAX_MESSAGE - 1) + "…"
    assert str(CsvError("x" * MAX_MESSAGE)) == "x" * MAX_MESSAGE


def test_a_cell_is_shown_in_quotes_and_cut() -> None:
    assert quoted("warm\n") == r"'warm\n'"
    assert len(quoted("x" * 1000)) == MAX_SHOWN + 2
    assert quoted("x" * 1000).endswith("x…'")


def test_names_beyond_the_first_are_counted() -> None:
    names = [f"c{number}" for number in range(5)]
    assert quoted_list(names, 5) == "'c0', 'c1', 'c2', 'c3', 'c4'"
    assert quoted_list(names, 2) == "'c0', 'c1' and 3 more"
