"""Counts the forms of the numbers in a column of a CSV file."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fncast.series.csv.numbers.number import COMMA, POINT, Number, is_missing, parse_number
from fncast.series.csv.table import Column, cast_all

PLAIN = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_COMMA = r"^[+-]?[0-9]*,[0-9]+$"
_MAY_GROUP = r"^[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}$"
# Parsed texts that are kept while a column is read.
MAX_CACHED = 100_000
Floats = NDArray[np.float64]


@dataclass
class Forms:
    """The forms of the cells of a column. Row numbers are those of the first cell with that form."""

    # Row by decimal sign, `point` or `comma`: a cell that shows its sign, such as 1.5 or 1,5.
    decimal_signs: dict[str, int] = field(default_factory=dict)
    ambiguous: int | None = None  # row of 1.299 or 1,299
    whole: int | None = None  # row of digits alone
    units: dict[str, int] = field(default_factory=dict)  # row by unit, the empty unit included
    numbers: int = 0
    missing: Counter[str] = field(default_factory=Counter)  # markers other than an empty cell
    empty: int = 0
    texts: int = 0  # cells that are neither numbers nor missing
    text: int | None = None  # row of the first one

    def add(self, number: Number, row: int, count: int) -> None:
        """Count `count` cells with this number, the first of them in `row`."""
        self.numbers += count
        self.units.setdefault(number.unit, row)
        if number.decimal_sign is not None:
            self.decimal_signs.setdefault(number.decimal_sign, row)
        elif number.is_ambiguous:
            self.ambiguous = row if self.ambiguous is None else self.ambiguous
        else:
            self.whole = row if self.whole is None else self.whole


def find_forms(column: Column) -> Forms:
    """The forms of all cells of a column."""
    forms = Forms()
    known: dict[str, Number | None] = {}
    row = 0
    for chunk in column.chunks:
        _add_chunk(chunk, row, forms, known)
        row += len(chunk)
        if len(known) > MAX_CACHED:
            known.clear()
    return forms


def _add_chunk(chunk: Any, at: int, forms: Forms, known: dict[str, Number | None]) -> None:
    """Count the forms of a chunk. at: the row of its first cell. known: parsed texts, by text."""
    if plain_numbers(chunk) is None:
        chunk = pc.utf8_trim_whitespace(chunk)
        empty = pc.equal(chunk, "")
        forms.empty += pc.sum(empty).as_py() or 0
        plain = pc.match_substring_regex(chunk, PLAIN)
        comma = pc.match_substring_regex(chunk, _COMMA)
        _add_separated(chunk, comma, at, forms, COMMA, ",")
        others = pc.invert(pc.or_(pc.or_(plain, comma), empty))
        _add_others(chunk, others, at, forms, known)
    else:
        plain = None
    _add_separated(chunk, plain, at, forms, POINT, ".")


def _add_separated(chunk: Any, cells: Any, at: int, forms: Forms, decimal_sign: str, character: str) -> None:
    """Count numbers without a unit: digits alone, or with one decimal sign.

    cells: a mask of the chunk, None for all cells. at: the row of the chunk's first cell. decimal_sign: `point` or
    `comma`. character: `.` or `,`.
    """
    count = len(chunk) if cells is None else pc.sum(cells).as_py() or 0
    if not count:
        return
    forms.numbers += count
    first = 0 if cells is None else pc.index(cells, True).as_py()
    forms.units.setdefault("", at + first)
    if decimal_sign in forms.decimal_signs and (character == "," or forms.whole is not None):
        return  # all forms of this kind are known
    separated = pc.match_substring(chunk, character)
    if cells is not None:
        separated = pc.and_(separated, cells)
    if character == "." and forms.whole is None:
        whole = pc.invert(separated) if cells is None else pc.and_not(cells, separated)
        whole_at = pc.index(whole, True).as_py()
        forms.whole = at + whole_at if whole_at >= 0 else None
    if decimal_sign in forms.decimal_signs:
        return
    may_group = pc.and_(separated, pc.match_substring_regex(chunk, _MAY_GROUP))
    certain_at = pc.index(pc.and_not(separated, may_group), True).as_py()
    if certain_at >= 0:
        forms.decimal_signs[decimal_sign] = at + certain_at
    ambiguous_at = pc.index(may_group, True).as_py()
    if ambiguous_at >= 0 and forms.ambiguous is None:
        forms.ambiguous = at + ambiguous_at


def _add_others(chunk: Any, others: Any, at: int, forms: Forms, known: dict[str, Number | None]) -> None:
    """Count the cells of the mask `others`: numbers with a unit or groups, markers for missing readings, texts."""
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


def unit_of(forms: Forms) -> str | None:
    """The first unit of the cells; None if they have none."""
    return next(iter(forms.units), "") or None


def plain_numbers(chunk: Any) -> Floats | None:
    """The chunk as numbers (fast path). None if a cell is not a plain finite number."""
    numbers = cast_all(chunk, pa.float64())
    if numbers is None:
        return None
    values: Floats = numbers.to_numpy(zero_copy_only=False)
    return values if np.isfinite(values).all() else None
