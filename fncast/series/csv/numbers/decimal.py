"""Decides the decimal sign of each column of a CSV file."""

from __future__ import annotations

import re

from fncast.series.csv.error import CsvError, quoted
from fncast.series.csv.numbers.forms import Forms
from fncast.series.csv.numbers.number import COMMA, POINT, parse_number
from fncast.series.csv.table import CsvTable, described_cell

# Leading zeros, as numbers of a fixed width have.
_PADDED = re.compile(r"[+-]?0[0-9]")


def decide_decimal(
    table: CsvTable, forms_by_column: dict[int, Forms], given: str | None
) -> tuple[dict[int, str], list[str]]:
    """`point` or `comma` for each column, and notes on columns that were decided by the numbers of another column.

    forms_by_column: by the column's position. given: the option `decimal`. A cell such as 1.299 is never guessed: the
    readings could be wrong by a factor of 1000. Raises CsvError, which names the cells.
    """
    decided: dict[int, str] = {}
    notes = []
    in_file: dict[str, int] = {}
    for at, forms in forms_by_column.items():
        if given is None and len(forms.decimal_signs) > 1:
            raise CsvError(
                f"{described_cell(table, at, forms.decimal_signs[POINT])} has a decimal point, but "
                f"{described_cell(table, at, forms.decimal_signs[COMMA])} a decimal comma; use the same sign in both"
            )
        if given is None and COMMA in forms.decimal_signs:
            _check_one_number(table, at, forms.decimal_signs[COMMA])
        for decimal_sign in forms.decimal_signs:
            in_file.setdefault(decimal_sign, at)
    for at, forms in forms_by_column.items():
        if given is not None:
            decided[at] = given
        elif forms.decimal_signs:
            decided[at] = next(iter(forms.decimal_signs))
        elif forms.ambiguous is None:
            decided[at] = POINT
        elif len(in_file) == 1:
            [(decided[at], other)] = in_file.items()
            cell = table.columns[at][forms.ambiguous].as_py().strip()
            number = parse_number(cell)
            value = number and (number.point if decided[at] == POINT else number.comma)
            notes.append(
                f"column {quoted(table.header[at])}: {quoted(cell)} was read as {value:g}, since column"
                f" {quoted(table.header[other])} has a decimal {decided[at]}"
            )
        elif _is_plain_point(table, at, forms):
            decided[at] = POINT
        else:
            raise _question(table, at, forms.ambiguous)
    return decided, notes


def _check_one_number(table: CsvTable, at: int, row: int) -> None:
    """Raises CsvError for a cell such as `+0012,1` in a file with the delimiter `,`: it may hold two numbers."""
    cell = table.columns[at][row].as_py().strip()
    if table.layout.delimiter == "," and _PADDED.match(cell):
        raise CsvError(
            f"{described_cell(table, at, row)} may be one number with a decimal comma, or two numbers; say"
            " --decimal comma, or write the two into separate columns"
        )


def _is_plain_point(table: CsvTable, at: int, forms: Forms) -> bool:
    """Whether all numbers have a point and three digits, in a file with the delimiter `,`."""
    cell = table.columns[at][forms.ambiguous].as_py()
    return "." in cell and forms.whole is None and table.layout.delimiter == ","


def _question(table: CsvTable, at: int, row: int) -> CsvError:
    number = parse_number(table.columns[at][row].as_py())
    point, comma = (number.point, number.comma) if number is not None else (0.0, 0.0)
    return CsvError(
        f"{described_cell(table, at, row)} may be {point:g} or {comma:g}; say --decimal point (for {point:g})"
        f" or --decimal comma (for {comma:g})"
    )
