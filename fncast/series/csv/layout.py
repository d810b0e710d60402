"""Finds the layout of a CSV text: its delimiter, its header, and the lines that are not part of the table."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from fncast.series.csv.error import CsvError, quoted
from fncast.wording.count import counted

# The inspected part of the file: enough for a header of 10,000 names.
SAMPLE_BYTES = 1 << 20
# Inspected rows, and the maximum number of titles or comments before the table.
_SAMPLE_ROWS = 50
_MAX_LINES_BEFORE = 200
# The comma is last: in a file with another delimiter it is a decimal comma.
_DELIMITERS = "\t;|,"
_DELIMITER_LINE = re.compile(r'"?sep=(?P<delimiter>[^"\r\n])"?\s*', re.IGNORECASE)
# Spreadsheets write these for a formula that failed. They look like comments but are cells.
FORMULA_ERROR = re.compile(r"#(N/A|VALUE!|REF!|DIV/0!|NAME\?|NUM!|NULL!)", re.IGNORECASE)
# A tag or field of InfluxDB's line protocol.
_PAIR = r'[^\s,="]+=("[^"]*"|[^\s,"]+)'
# How texts of other formats begin.
_OTHER_TEXTS = (
    ("JSON", re.compile(r"[{\[]")),
    ("HTML or XML", re.compile("<")),
    ("Prometheus's text", re.compile(r"# (HELP|TYPE) \w+ |[\w:]+\{.*\} [-+\w.]+( \d+)?\s*$")),
    ("InfluxDB's line protocol", re.compile(rf"[^\s,]+(,{_PAIR})* {_PAIR}(,{_PAIR})* \d{{10,19}}\s*$")),
)
_INFLUX_ANNOTATION = re.compile(r'"?#(group|datatype|default)\b', re.IGNORECASE)


@dataclass(frozen=True)
class Layout:
    """Where the table of a CSV text is, and how it is written.

    header: the names of the columns; None if the first row holds readings.
    offset: the first byte of the rows. first_line: the number of the line there, from 1.
    width: fields of a row. notes: lines that were skipped. is_influx: the file has InfluxDB's annotations.
    """

    delimiter: str
    header: tuple[str, ...] | None
    offset: int
    first_line: int
    width: int
    notes: tuple[str, ...]
    is_influx: bool = False


@dataclass(frozen=True)
class _SampleRow:
    line: int  # its first line, from 0
    end: int  # the line after its last
    cells: list[str]


def is_comment(text: str) -> bool:
    """Whether a line or its first cell is a comment."""
    return text.startswith("#") and FORMULA_ERROR.match(text) is None


def find_layout(name: str, content: bytes, holds_readings: Callable[[list[str]], bool]) -> Layout:
    """The layout of a CSV text. holds_readings: whether a row holds readings, not a header. Raises CsvError."""
    lines = _sample(content)
    if len(content) > SAMPLE_BYTES and len(lines) < 2:
        raise CsvError(
            f"{name}, line 1: is longer than {SAMPLE_BYTES} bytes; write one line for each reading, with a column that"
            " names the series"
        )
    start = _skip_blank(lines, 0)
    if start == len(lines):
        raise CsvError(f"{name}: the file is empty; a header `timestamp,value` and readings were expected")
    _check_not_other_text(name, lines[start])
    delimiter = None
    if match := _DELIMITER_LINE.fullmatch(lines[start]):
        delimiter = match["delimiter"]
        start = _skip_blank(lines, start + 1)
    comments, start = _comments(lines, start)
    if start == len(lines):
        raise CsvError(f"{name}: holds comments only; a header `timestamp,value` and readings were expected")
    is_influx = any(_INFLUX_ANNOTATION.match(line) for line in comments)
    delimiter, rows, titles = _table(name, lines, start, delimiter)
    notes = [_title_note(titles)] if titles else []
    first = rows[0]
    width = Counter(len(row.cells) for row in rows[1:] or rows).most_common(1)[0][0]
    header: list[str] | None = None
    if holds_readings(first.cells):
        begin = first.line
        if comments and not is_influx and not titles:
            header = _commented_header(comments[-1], delimiter, width, holds_readings)
            if header is not None:
                comments.pop()
    else:
        _check_width(name, delimiter, rows, width)
        header, begin = [cell.strip() for cell in first.cells], first.end
    if comments:
        notes.append(f"{counted(len(comments), 'comment line')} skipped")
    return Layout(
        delimiter,
        None if header is None else tuple(header),
        sum(len(line.encode()) for line in lines[:begin]),
        begin + 1,
        len(first.cells) if header is None else len(header),
        tuple(notes),
        is_influx,
    )


def _comments(lines: list[str], start: int) -> tuple[list[str], int]:
    """The comments from the line `start` on, and the first line after them that is not blank."""
    comments: list[str] = []
    while start < len(lines) and is_comment(lines[start].lstrip('"')) and len(comments) < _MAX_LINES_BEFORE:
        comments.append(lines[start])
        start = _skip_blank(lines, start + 1)
    return comments, start


def _title_note(titles: list[_SampleRow]) -> str:
    """A note that these lines before the table were skipped."""
    first_line, last_line = titles[0].line + 1, titles[-1].line + 1
    which = f"line {first_line}" if len(titles) == 1 else f"lines {first_line} to {last_line}"
    skipped = f"{which} before the table {'was' if len(titles) == 1 else 'were'} skipped"
    return f"{skipped}: {quoted(' '.join(titles[0].cells).strip())}"


def _commented_header(
    comment: str, delimiter: str, width: int, holds_readings: Callable[[list[str]], bool]
) -> list[str] | None:
    """The names in a header such as `# time,value`. None if the comment is not a header."""
    names = next(csv.reader([comment.lstrip('"').lstrip("# ")], delimiter=delimiter), [])
    if len(names) != width or holds_readings(names):
        return None
    return [cell.strip() for cell in names]


def _check_width(name: str, delimiter: str, rows: list[_SampleRow], width: int) -> None:
    """Raises CsvError if the header, which is the first row, has another number of fields than all other rows.

    width: the usual number of fields below the header.
    """
    fields, others = len(rows[0].cells), rows[1:]
    if others and fields != width and all(len(row.cells) == width for row in others):
        raise CsvError(
            f"{name}, line {others[0].line + 1}: has {counted(width, 'field')}, the header"
            f" {fields}; fix the line" + _hint(delimiter, others[0].cells)
        )


def _hint(delimiter: str, cells: list[str]) -> str:
    """What may help if the numbers of a row were split at their decimal comma; else empty."""
    if delimiter == "," and sum(cell.strip().isdigit() for cell in cells) > 1:
        return ". Put cells with a decimal comma into quotes, or separate the columns by `;`"
    return ""


def _sample(content: bytes) -> list[str]:
    text = content[:SAMPLE_BYTES].decode(errors="ignore")
    lines = list(io.StringIO(text, newline=""))
    if len(content) > SAMPLE_BYTES and len(lines) > 1:
        lines.pop()  # probably incomplete
    return lines


def _skip_blank(lines: list[str], at: int) -> int:
    while at < len(lines) and not lines[at].strip():
        at += 1
    return at


def _check_not_other_text(name: str, line: str) -> None:
    """Raises CsvError for text that is not a table. line: the first one that is not blank."""
    text = line.lstrip()
    kind = next((kind for kind, pattern in _OTHER_TEXTS if pattern.match(text)), None)
    if kind is not None:
        raise CsvError(
            f"{name}: holds {kind}, not CSV; write a header `timestamp,value` and one line for each reading"
        )


def _table(
    name: str, lines: list[str], start: int, given: str | None
) -> tuple[str, list[_SampleRow], list[_SampleRow]]:
    """The delimiter, the first rows of the table, and the title lines before them. Raises CsvError."""
    best: tuple[float, str, list[_SampleRow], list[_SampleRow]] | None = None
    for delimiter in [given] if given is not None else _DELIMITERS:
        rows = _rows(lines, start, delimiter)
        titles: list[_SampleRow] = []
        while len(rows) > 2 and len(rows[0].cells) == 1 and len(titles) < _MAX_LINES_BEFORE:
            titles.append(rows.pop(0))
        if not rows or max(len(row.cells) for row in rows) < 2:
            continue
        widths = Counter(len(row.cells) for row in rows)
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        share = 0.0 if width < 2 else count / len(rows) / (1 + len(titles))
        if best is None or share > best[0]:
            best = (share, delimiter, rows, titles)
    if best is None or (best[0] == 0.0 and given is None and len(best[2][0].cells) < 2):
        first = lines[start].strip()
        raise CsvError(
            f"{name}, line {start + 1}: has one column only ({quoted(first)}); `timestamp,value` was expected,"
            " separated by a comma, semicolon, tab or |"
        )
    return best[1], best[2], best[3]


def _rows(lines: list[str], start: int, delimiter: str) -> list[_SampleRow]:
    """The first rows that are neither empty nor comments."""
    reader = csv.reader(iter(lines[start:]), delimiter=delimiter, skipinitialspace=delimiter != "\t")
    rows: list[_SampleRow] = []
    begin = 0
    try:
        for cells in reader:
            if cells and any(cell.strip() for cell in cells) and not is_comment(cells[0]):
                rows.append(_SampleRow(start + begin, start + reader.line_num, cells))
                if len(rows) > _SAMPLE_ROWS:
                    break
            begin = reader.line_num
    except csv.Error:  # a cell of more than 128 kB: a quote is not closed
        pass
    return rows
