"""Parses a column of a CSV file as numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fncast.series.csv.error import CsvError, quoted
from fncast.series.csv.numbers.forms import MAX_CACHED, PLAIN, Floats, Forms, plain_numbers
from fncast.series.csv.numbers.number import MISSING, POINT, parse_number
from fncast.series.csv.table import CsvTable, described_cell

_INFINITE = re.compile(r"[+-]?inf(inity)?|[+-]?∞", re.IGNORECASE)


def read_values(table: CsvTable, at: int, forms: Forms, decimal: str) -> tuple[Floats, NDArray[np.bool_]]:
    """The column as (rows,) float64, NaN for missing readings and texts, and a mask of the texts. Raises CsvError."""
    column = table.columns[at]
    _check_units(table, at, forms)
    values = np.empty(len(column))
    texts = np.zeros(len(column), dtype=np.bool_)
    known: dict[str, float | None] = {}
    row = 0
    for chunk in column.chunks:
        cells = slice(row, row + len(chunk))
        read = plain_numbers(chunk) if decimal == POINT or forms.ambiguous is None else None
        if read is None:
            read, texts[cells] = _read_chunk(chunk, decimal, known, partial(_cell_after, table, at, row))
        values[cells] = read
        row += len(chunk)
        if len(known) > MAX_CACHED:
            known.clear()
    return values, texts


def _read_chunk(
    chunk: Any, decimal: str, known: dict[str, float | None], cell: Callable[[int], str]
) -> tuple[Floats, NDArray[np.bool_]]:
    chunk = pc.utf8_trim_whitespace(chunk)
    sign = "." if decimal == POINT else ","
    pattern = PLAIN if decimal == POINT else r"^[+-]?([0-9]+|[0-9]*,[0-9]+)$"
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


def _check_units(table: CsvTable, at: int, forms: Forms) -> None:
    """Raises CsvError if the numbers of a column have different units."""
    if len(forms.units) > 1:
        (first, first_row), (second, second_row) = list(forms.units.items())[:2]

        def unit(name: str) -> str:
            return f"the unit {quoted(name)}" if name else "no unit"

        raise CsvError(
            f"{described_cell(table, at, second_row)} has {unit(second)}, but line {table.line(first_row)} has"
            f" {unit(first)}; use the same unit in all cells, or none"
        )


def text_error(table: CsvTable, at: int, row: int) -> CsvError:
    """The error of a cell that holds text in a column of numbers."""
    text = table.columns[at][row].as_py().strip()
    return CsvError(
        f"{table.name}, line {table.line(row)}: {quoted(text)} is not a number (column {quoted(table.header[at])});"
        " write a number, or leave the cell empty for a missing reading"
    )


def _cell_after(table: CsvTable, at: int, begin: int, row: int) -> str:
    return described_cell(table, at, begin + row)
