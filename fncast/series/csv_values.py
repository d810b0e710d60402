"""Parses a column of a CSV file as numbers, and decides its decimal sign."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fncast.series.csv_error import CsvError, shown
from fncast.series.csv_number import COMMA, MISSING, POINT, Number, is_missing, parse_number
from fncast.series.csv_table import Column, Table

_PLAIN = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_COMMA = r"^[+-]?[0-9]*,[0-9]+$"
_MAY_GROUP = r"^[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}$"
_INFINITE = re.compile(r"[+-]?inf(inity)?|[+-]?∞", re.IGNORECASE)
# Parsed texts that are kept while a column is read.
_MAX_CACHED = 100_000

Floats = NDArray[np.float64]


@dataclass
class Forms:
    """The forms of the cells of a column. Row numbers are those of the first cell with that form."""

    shows: dict[str, int] = field(
        default_factory=dict
    )  # row by decimal sign (point or comma), where it is certain
    ambiguous: int | None = None  # row of 1.299 or 1,299
    whole: int | None = None  # row of digits alone
    units: dict[str, int] = field(default_factory=dict)  # row by unit, the empty unit included
    numbers: int = 0
    missing: Counter[str] = field(default_factory=Counter)  # markers other than an empty cell
    empty: int = 0
    texts: int = 0
    text: int | None = None

    def add(self, number: Number, row: int, count: int) -> None:
        """Count `count` cells with this number, the first of them in `row`."""
        self.numbers += count
        self.units.setdefault(number.unit, row)
        if number.shows is not None:
            self.shows.setdefault(number.shows, row)
        elif number.is_ambiguous:
            self.ambiguous = row if self.ambiguous is None else self.ambiguous
        else:
            self.whole = row if self.whole is None else self.whole


def look(column: Column) -> Forms:
    """The forms of all cells of a column."""
    forms = Forms()
    known: dict[str, Number | None] = {}
    row = 0
    for chunk in column.chunks:
        _look_chunk(chunk, row, forms, known)
        row += len(chunk)
        if len(known) > _MAX_CACHED:
            known.clear()
    return forms


def _look_chunk(chunk: Any, at: int, forms: Forms, known: dict[str, Number | None]) -> None:
    if _floats(chunk) is None:
        chunk = pc.utf8_trim_whitespace(chunk)
        empty = pc.equal(chunk, "")
        forms.empty += pc.sum(empty).as_py() or 0
        plain = pc.match_substring_regex(chunk, _PLAIN)
        comma = pc.match_substring_regex(chunk, _COMMA)
        _look_separated(chunk, comma, at, forms, COMMA, ",")
        others = pc.invert(pc.or_(pc.or_(plain, comma), empty))
        _look_others(chunk, others, at, forms, known)
    else:
        plain = None
    _look_separated(chunk, plain, at, forms, POINT, ".")


def _look_separated(chunk: Any, cells: Any, at: int, forms: Forms, shows: str, sign: str) -> None:
    """Count numbers without a unit: digits alone, or with one decimal sign.

    cells: a mask of the chunk, None for all cells. at: the row of the chunk's first cell."""
    count = len(chunk) if cells is None else pc.sum(cells).as_py() or 0
    if not count:
        return
    forms.numbers += count
    first = 0 if cells is None else pc.index(cells, True).as_py()
    forms.units.setdefault("", at + first)
    if shows in forms.shows and (sign == "," or forms.whole is not None):
        return  # all forms of this kind are known
    separated = pc.match_substring(chunk, sign)
    if cells is not None:
        separated = pc.and_(separated, cells)
    if sign == "." and forms.whole is None:
        whole = pc.invert(separated) if cells is None else pc.and_not(cells, separated)
        whole_at = pc.index(whole, True).as_py()
        forms.whole = at + whole_at if whole_at >= 0 else None
    if shows in forms.shows:
        return
    may_group = pc.and_(separated, pc.match_substring_regex(chunk, _MAY_GROUP))
    sure_at = pc.index(pc.and_not(separated, may_group), True).as_py()
    if sure_at >= 0:
        forms.shows[shows] = at + sure_at
    may_at = pc.index(may_group, True).as_py()
    if may_at >= 0 and forms.ambiguous is None:
        forms.ambiguous = at + may_at


def _look_others(chunk: Any, others: Any, at: int, forms: Forms, known: dict[str, Number | None]) -> None:
    rows = np.flatnonzero(others.to_numpy(zero_copy_only=False))
    if not len(rows):
        return
    encoded = chunk.filter(others).dictionary_encode()
    texts = encoded.dictionary.to_pylist()
    codes = encoded.indices.to_numpy()
    counts = np.bincount(codes, minlength=len(texts))
    _, firsts = np.unique(codes, return_index=True)
    for text, count, first in zip(texts, counts.tolist(), firsts.tolist(), strict=True):
        row = at + int(rows[first])
        if is_missing(text):
            forms.missing[text] += count
            continue
        if text not in known:
            known[text] = parse_number(text)
        number = known[text]
        if number is not None:
            forms.add(number, row, count)
        else:
            forms.texts += count
            forms.text = row if forms.text is None else min(forms.text, row)


def decide_decimal(
    table: Table, looked: dict[int, Forms], given: str | None
) -> tuple[dict[int, str], list[str]]:
    """`point` or `comma` for each column, and notes on columns that were decided by the numbers of another column.

    looked: the forms, by column. given: the option `decimal`. A factor of 1000 is never guessed. Raises CsvError, which
    names the cells."""
    decided: dict[int, str] = {}
    notes = []
    in_file: dict[str, int] = {}
    for at, forms in looked.items():
        if given is None and len(forms.shows) > 1:
            raise CsvError(
                f"{_cell(table, at, forms.shows[POINT])} has a decimal point, but "
                f"{_cell(table, at, forms.shows[COMMA])} a decimal comma; use the same sign in both"
            )
        for shows in forms.shows:
            in_file.setdefault(shows, at)
    for at, forms in looked.items():
        if given is not None:
            decided[at] = given
        elif forms.shows:
            decided[at] = next(iter(forms.shows))
        elif forms.ambiguous is None:
            decided[at] = POINT
        elif len(in_file) == 1:
            [(decided[at], other)] = in_file.items()
            cell = table.columns[at][forms.ambiguous].as_py().strip()
            number = parse_number(cell)
            value = number and (number.point if decided[at] == POINT else number.comma)
            notes.append(
                f"column {shown(table.header[at])}: {shown(cell)} was read as {value:g}, since column"
                f" {shown(table.header[other])} has a decimal {decided[at]}"
            )
        elif _is_plain_point(table, at, forms):
            decided[at] = POINT
        else:
            raise _question(table, at, forms.ambiguous)
    return decided, notes


def _is_plain_point(table: Table, at: int, forms: Forms) -> bool:
    """Whether all numbers have a point and three digits, in a file with the delimiter `,`."""
    cell = table.columns[at][forms.ambiguous].as_py()
    return "." in cell and forms.whole is None and table.layout.delimiter == ","


def _question(table: Table, at: int, row: int) -> CsvError:
    number = parse_number(table.columns[at][row].as_py())
    point, comma = (number.point, number.comma) if number is not None else (0.0, 0.0)
    return CsvError(
        f"{_cell(table, at, row)} may be {point:g} or {comma:g}; say --decimal point (for {point:g})"
        f" or --decimal comma (for {comma:g})"
    )


def read_values(table: Table, at: int, forms: Forms, decimal: str) -> tuple[Floats, NDArray[np.bool_]]:
    """The column as numbers, NaN for missing readings and texts, and a mask of the texts. Raises CsvError."""
    column = table.columns[at]
    _check_units(table, at, forms)
    values = np.empty(len(column))
    texts = np.zeros(len(column), dtype=np.bool_)
    known: dict[str, float | None] = {}
    row = 0
    for chunk in column.chunks:
        cells = slice(row, row + len(chunk))
        read = _floats(chunk) if decimal == POINT or forms.ambiguous is None else None
        if read is None:
            read, texts[cells] = _read_chunk(chunk, decimal, known, partial(_cell_after, table, at, row))
        values[cells] = read
        row += len(chunk)
        if len(known) > _MAX_CACHED:
            known.clear()
    return values, texts


def _read_chunk(
    chunk: Any, decimal: str, known: dict[str, float | None], cell: Callable[[int], str]
) -> tuple[Floats, NDArray[np.bool_]]:
    chunk = pc.utf8_trim_whitespace(chunk)
    sign = "." if decimal == POINT else ","
    pattern = _PLAIN if decimal == POINT else r"^[+-]?([0-9]+|[0-9]*,[0-9]+)$"
    plain = pc.match_substring_regex(chunk, pattern)
    numbers = pc.if_else(plain, chunk, None)
    if sign == ",":
        numbers = pc.replace_substring(numbers, ",", ".")
    values: Floats = pc.cast(numbers, pa.float64()).to_numpy(zero_copy_only=False).copy()
    texts = np.zeros(len(chunk), dtype=np.bool_)
    others = pc.and_not(pc.not_equal(chunk, ""), plain)
    rows = np.flatnonzero(others.to_numpy(zero_copy_only=False))
    if len(rows):
        encoded = chunk.filter(others).dictionary_encode()
        codes = encoded.indices.to_numpy()
        read = np.empty(len(encoded.dictionary))
        is_text = np.zeros(len(encoded.dictionary), dtype=np.bool_)
        for code, text in enumerate(encoded.dictionary.to_pylist()):
            if text not in known:
                first = int(rows[np.argmax(codes == code)])
                known[text] = _value(text, decimal, partial(cell, first))
            value = known[text]
            read[code], is_text[code] = (np.nan, True) if value is None else (value, False)
        values[rows], texts[rows] = read[codes], is_text[codes]
    return values, texts


def _value(text: str, decimal: str, cell: Callable[[], str]) -> float | None:
    """The number, NaN for a missing reading, None for text. Raises CsvError."""
    if text.lower() in MISSING:
        return float("nan")
    number = parse_number(text)
    if number is None:
        if _INFINITE.fullmatch(text):
            raise CsvError(f"{cell()} is not a finite number; leave the cell empty if the reading is missing")
        return None
    value = number.point if decimal == POINT else number.comma
    if value is None:
        raise CsvError(f"{cell()} is not a number with a decimal {decimal}")
    return value


def _check_units(table: Table, at: int, forms: Forms) -> None:
    """Raises CsvError if the numbers of a column have different units."""
    if len(forms.units) > 1:
        (first, first_row), (second, second_row) = list(forms.units.items())[:2]

        def unit(name: str) -> str:
            return f"the unit {shown(name)}" if name else "no unit"

        raise CsvError(
            f"{_cell(table, at, second_row)} has {unit(second)}, but line {table.line(first_row)} has {unit(first)};"
            " use the same unit in all cells, or none"
        )


def unit_of(forms: Forms) -> str | None:
    return next(iter(forms.units), "") or None


def text_error(table: Table, at: int, row: int) -> CsvError:
    text = table.columns[at][row].as_py().strip()
    return CsvError(
        f"{table.name}, line {table.line(row)}: {shown(text)} is not a number (column {shown(table.header[at])});"
        " write a number, or leave the cell empty for a missing reading"
    )


def _cell(table: Table, at: int, row: int) -> str:
    text = table.columns[at][row].as_py().strip()
    return f"{table.name}, line {table.line(row)}: {shown(text)} (column {shown(table.header[at])})"


def _cell_after(table: Table, at: int, begin: int, row: int) -> str:
    return _cell(table, at, begin + row)


def _floats(chunk: Any) -> Floats | None:
    """The chunk as numbers (fast path). None if a cell is not a plain finite number."""
    try:
        values: Floats = pc.cast(chunk, pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None
    return values if np.isfinite(values).all() else None
