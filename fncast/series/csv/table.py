"""Splits a CSV text into columns of text with Apache Arrow, and keeps the line of each row."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from fncast.series.csv.error import CsvError, quoted
from fncast.series.csv.layout import FORMULA_ERROR, Layout, is_comment
from fncast.wording.count import counted

# A row must fit into one block.
_BLOCK_BYTES = 4 << 20
# Cells that are cast before the whole column is.
_CAST_FIRST = 100
# A space between delimiter and quote; the parser would treat the quote as text.
_BLANK_BEFORE_QUOTE = re.compile(rb'([,;\t|]) +(?=")')

Column = Any  # pyarrow.ChunkedArray of strings; pyarrow has no types


@dataclass(frozen=True)
class CsvTable:
    """The columns of a file as text, one array for each column, and the line of each row in the file."""

    name: str
    header: tuple[str, ...]
    columns: list[Column]
    layout: Layout
    count: int
    # Each row's number among the parsed rows; None if no row was dropped.
    rows: NDArray[np.int64] | None = None
    rejected_rows: tuple[int, ...] = ()  # numbers of the rows that the parser skipped
    notes: tuple[str, ...] = ()
    has_multiline_cells: bool = field(default=False)  # at least one cell holds a line end

    def __len__(self) -> int:
        return self.count

    def release(self, at: int) -> None:
        """Free the text of a column that has been read: all columns take as much memory as the file."""
        if not self.has_multiline_cells:  # `line` needs the texts
            self.columns[at] = self.columns[at].slice(0, 0)
            pa.default_memory_pool().release_unused()

    def line(self, row: int) -> int:
        """The number of the first line of a row, from 1."""
        parsed = int(row if self.rows is None else self.rows[row])
        number = parsed
        for rejected in self.rejected_rows:
            if rejected > number:
                break
            number += 1
        inside = 0
        if self.has_multiline_cells:
            for column in self.columns:
                inside += pc.sum(pc.count_substring(column.slice(0, row), "\n")).as_py() or 0
        return self.layout.first_line + number + inside


@dataclass
class _UnusualRows:
    """Rows with another number of fields than the header, as the parser meets them.

    skipped: blank lines and comments, by index. comments: how many of them are comments. wrong: number and fields of
    the first other row, which ends the parsing.
    """

    skipped: list[int] = field(default_factory=list)
    comments: int = 0
    wrong: tuple[int, int] | None = None

    def __call__(self, row: Any) -> str:
        """What the parser does with the row: `skip` or `error`."""
        text = row.text.lstrip().lstrip('"')
        if text and not is_comment(text):
            self.wrong = self.wrong or (row.number, row.actual_columns)
            return "error"
        self.skipped.append(row.number - 1)
        self.comments += bool(text)
        return "skip"


def parse(name: str, content: bytes, layout: Layout, header: tuple[str, ...]) -> CsvTable:
    """The rows below the header. Raises CsvError, which names the line of a row with too few or too many fields."""
    body = memoryview(content)[layout.offset :]
    has_quotes = content.find(b'"', layout.offset) >= 0
    if has_quotes and _BLANK_BEFORE_QUOTE.search(body):
        body = memoryview(_BLANK_BEFORE_QUOTE.sub(rb"\1", bytes(body)))
    unusual = _UnusualRows()
    try:
        columns = _columns(body, layout, len(header), has_quotes, unusual)
    except pa.ArrowInvalid as error:
        raise _parse_error(name, layout, header, has_quotes, unusual, str(error)) from None
    pa.default_memory_pool().release_unused()  # the parser's own buffers
    table = CsvTable(name, header, columns, layout, len(columns[0]), rejected_rows=tuple(unusual.skipped))
    if has_quotes:
        table = replace(table, has_multiline_cells=any(_has_line_end(column) for column in columns))
        if table.has_multiline_cells:
            _check_quotes(table, content)
    table = _without_skipped_rows(table, unusual.comments)
    if not len(table):
        raise _no_readings(name)
    return table


def _columns(
    body: memoryview, layout: Layout, count: int, has_quotes: bool, unusual: _UnusualRows
) -> list[Column]:
    """The columns as texts. Raises pyarrow.ArrowInvalid."""
    names = [str(number) for number in range(count)]
    parsed = pyarrow.csv.read_csv(
        pa.BufferReader(pa.py_buffer(body)),
        # With one thread, rows keep their numbers.
        read_options=pyarrow.csv.ReadOptions(column_names=names, use_threads=False, block_size=_BLOCK_BYTES),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=layout.delimiter,
            newlines_in_values=has_quotes,
            ignore_empty_lines=False,
            invalid_row_handler=unusual,
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )
    return list(parsed.columns)


def _parse_error(
    name: str, layout: Layout, header: tuple[str, ...], has_quotes: bool, unusual: _UnusualRows, reason: str
) -> CsvError:
    if unusual.wrong is not None:
        number, fields = unusual.wrong
        return CsvError(
            f"{name}, line {layout.first_line + number - 1}: has {counted(fields, 'field')}, the header"
            f" {len(header)}; fix the line" + ("; or a quote before it is not closed" if has_quotes else "")
        )
    if "Empty CSV" in reason:
        return _no_readings(name)
    if "straddling" in reason:
        return CsvError(f"{name}: has a row beyond {_BLOCK_BYTES} bytes; is a quote not closed?")
    return CsvError(f"{name}: is not CSV: {quoted(reason)}")


def _no_readings(name: str) -> CsvError:
    return CsvError(f"{name}: has a header but no readings; add lines such as `2026-01-01T00:00:00Z,1.5`")


def _has_line_end(column: Column) -> bool:
    return bool(pc.any(pc.match_substring(column, "\n")).as_py())


def _check_quotes(table: CsvTable, content: bytes) -> None:
    """Raises CsvError for a quote that is not closed: the parser reads the rest of the file into its cell."""
    if content.count(b'"', table.layout.offset) % 2 == 0:
        return
    rows = [pc.index(pc.match_substring(column, "\n"), True).as_py() for column in table.columns]
    line = table.line(min(row for row in rows if row >= 0))
    raise CsvError(f'{table.name}, line {line}: a quote (") is opened and not closed; fix the line')


def _without_skipped_rows(table: CsvTable, comments_before: int) -> CsvTable:
    """The table without empty rows, comments and repeated headers. comments_before: comments skipped so far."""
    skip = np.zeros(len(table), dtype=np.bool_)
    notes = list(table.notes)
    empty = _where(table, lambda column, _: pc.equal(column, ""))
    skip |= empty
    first = table.columns[0]
    count = comments_before
    if pc.any(pc.starts_with(first, "#")).as_py():
        formula = f"(?i)^{FORMULA_ERROR.pattern}"
        comments = _mask(pc.starts_with(first, "#")) & ~_mask(pc.match_substring_regex(first, formula))
        skip |= comments
        count += int(comments.sum())
    if count:
        notes.append(f"{counted(count, 'comment line')} inside the table skipped")
    if table.layout.header is not None:
        repeated = _where(table, _equals) & ~empty
        if repeated.any():
            skip |= repeated
            notes.append(f"lines that repeat the header were skipped: {int(repeated.sum()):,}")
    if not skip.any():
        return replace(table, notes=tuple(notes))
    kept = np.flatnonzero(~skip)
    columns = [column.take(pa.array(kept)) for column in table.columns]
    return replace(table, columns=columns, count=len(kept), rows=kept, notes=tuple(notes))


def _equals(cells: Column, name: str) -> Column:
    """Which cells are this name, apart from blanks around it."""
    found = pc.match_substring(cells, name)  # trimming is slow
    return pc.equal(pc.utf8_trim_whitespace(cells), name) if pc.any(found).as_py() else found


def _where(table: CsvTable, test: Any) -> NDArray[np.bool_]:
    """Which rows pass the test in all columns. Stops as soon as no row is left."""
    rows = np.ones(len(table), dtype=np.bool_)
    # Columns with a name first: those without a name are often completely empty.
    order = sorted(range(len(table.header)), key=lambda at: not table.header[at])
    for at in order:
        tested = [_mask(test(chunk, table.header[at])) for chunk in table.columns[at].chunks]
        rows &= np.concatenate(tested)  # by chunk, because tests copy what they trim
        if not rows.any():
            break
    return rows


def cast_all(column: Column, kind: pa.DataType) -> Column | None:
    """The cells cast to an Arrow type. None if a cell cannot be cast.

    Some cells are cast first, because Arrow is slow on a column with many wrong cells.
    """
    try:
        pc.cast(column.slice(0, _CAST_FIRST), kind)
        return pc.cast(column, kind)
    except pa.ArrowInvalid:
        return None


def _mask(column: Column) -> NDArray[np.bool_]:
    array: NDArray[np.bool_] = column.to_numpy(zero_copy_only=False).astype(np.bool_)
    return array


def described_cell(table: CsvTable, at: int, row: int) -> str:
    """File, line, text and column of a cell, for a message. at: of the column. row: from 0."""
    text = table.columns[at][row].as_py().strip()
    return f"{table.name}, line {table.line(row)}: {quoted(text)} (column {quoted(table.header[at])})"
