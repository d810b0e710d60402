"""Parses a column of a CSV file as times: texts here, numbers in `number_parser`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fncast.series.csv.error import CsvError, quoted
from fncast.series.csv.table import Column, CsvTable, cast_all
from fncast.series.csv.times import date as csv_date
from fncast.series.csv.times.number_parser import number_form, read_numbers
from fncast.series.csv.times.text_chunk import TextChunk, read_chunk
from fncast.series.csv.times.times import ADVICE, DAY_S, Times

_DIGITS = re.compile(r"[+-]?[0-9]+([.,][0-9]*)?")
_POINTED_CLOCK = re.compile(r"([0-9]{1,2})\.([0-9]{2})\.([0-9]{2})")
# Cells that are searched for the commonest offset from UTC.
_OFFSET_CELLS = 10_000
# The moments that are read. Programs that cut a year to two digits write 0026 for 2026.
_FIRST_S = datetime(1000, 1, 1, tzinfo=UTC).timestamp()
_END_S = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


def time_form(cells: Sequence[str]) -> str | None:
    """The form of these cells as times: text, compact, year, epoch, excel or seconds. None if they are not times.

    cells: a sample without missing cells. Half of them decide, so that a wrong cell is reported as an error.
    `seconds` means numbers of any size, which may also be readings.
    """
    digits = [cell for cell in cells if _DIGITS.fullmatch(cell)]
    if digits and 2 * len(digits) >= len(cells):
        return number_form(digits)
    texts = [match["date"] for cell in cells if (match := re.match(csv_date.TIME, cell))]
    dates = sum(_may_be_date(text) for text in texts)
    return "text" if dates and 2 * dates >= len(cells) else None


def is_time_of_day(cells: Sequence[str]) -> bool:
    """Whether all cells, at least one, are times of day, such as 18:00 or 18.00.00."""
    if not cells:
        return False
    if all(
        _POINTED_CLOCK.fullmatch(cell) and csv_date.seconds_of_day(cell.replace(".", ":")) is not None
        for cell in cells
    ):
        return time_form(cells) is None
    return all(re.match(csv_date.TIME_OF_DAY, cell) for cell in cells)


def _may_be_date(text: str) -> bool:
    return any(
        csv_date.day_number(text, order) is not None for order in (csv_date.DAY_FIRST, csv_date.MONTH_FIRST)
    )


def read_times(
    table: CsvTable, at: int, form: str, clock: int | None = None, order: str | None = None
) -> Times:
    """The times of a column. form: see `time_form`. clock: position of a second column with the time of day.

    order: `day-first` or `month-first`, if the dates do not show it. Raises CsvError, which names line and cell.
    """
    column = table.columns[at]
    if clock is not None:
        column = _joined(column, table.columns[clock])
    is_text = clock is not None or form == "text"
    times = _text_times(table, at, column, order) if is_text else read_numbers(table, at, column, form)
    outside = (times.seconds < _FIRST_S) | (times.seconds >= _END_S)
    if outside.any():
        row = int(np.argmax(outside))
        cell = quoted(column[row].as_py().strip())
        raise CsvError(
            f"{table.name}, line {table.line(row)}: {cell} is not in the years 1000 to 9998; correct the time"
        )
    if len(times.offsets) > 1 and _are_spans(column):
        raise CsvError(
            f"{table.name}, line {table.line(0)}: {quoted(column[0].as_py().strip())} is a span of"
            " time, as are all cells; write only its begin or its end"
        )
    return times


def _are_spans(column: Column) -> bool:
    """Whether what looks like an offset is a later time of the day: 08:00-09:00, 09:00-10:00, always as much later."""
    pairs = {(part["time"], part["offset"]) for part in _first_parts(column).to_pylist() if part}
    if not all(time and offset.startswith("-") for time, offset in pairs):
        return False
    lengths = {
        (-(csv_date.offset_seconds(offset) or 0) - (csv_date.seconds_of_day(time) or 0)) % DAY_S
        for time, offset in pairs
    }
    return len(lengths) == 1 and 0 not in lengths


def _joined(dates: Column, clocks: Column) -> Column:
    date, clock = pc.utf8_trim_whitespace(dates), pc.utf8_trim_whitespace(clocks)
    # Excel writes a date column as a date at midnight.
    date = pc.replace_substring_regex(date, r"[ T]00?:00(:00(\.0+)?)?$", "")
    clock = pc.replace_substring_regex(clock, rf"^{_POINTED_CLOCK.pattern}$", r"\1:\2:\3")
    return pc.binary_join_element_wise(date, clock, " ")


def _text_times(table: CsvTable, at: int, column: Column, order: str | None) -> Times:
    """The times of a column of texts. order: of day and month where the texts leave it open."""
    if (times := _iso_times(column)) is not None:
        return times

    def fail(row: int, why: str = f"is not a time; {ADVICE}") -> CsvError:
        return CsvError(f"{table.name}, line {table.line(row)}: {quoted(column[row].as_py())} {why}")

    dates, parts = _split_texts(column, fail)
    texts = list(dates)
    try:
        found = csv_date.order_of(texts) or order
    except ValueError as error:
        raise CsvError(
            f"{table.name}, column {quoted(table.header[at])}: {error}; write them alike"
        ) from None
    if ambiguous := _ambiguous_date(texts, found):
        text, why = ambiguous
        raise fail(dates[text], why)
    assert found is not None  # else the dates are ambiguous
    days = np.empty(len(dates))
    for code, (text, first) in enumerate(dates.items()):
        day = csv_date.day_number(text, found)
        if day is None:
            raise fail(first)
        days[code] = day
    notes = []
    if parts.is_local.any() and not parts.is_local.all():
        notes.append(f"{int(parts.is_local.sum())} of {len(column)} times have no offset from UTC")
    kind = "dates" if parts.is_dates else "dates and times"
    if any(re.match(r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.]", text) for text in texts):
        kind += f", {found}"
    seconds = parts.seconds + days[parts.codes] * DAY_S
    return Times(seconds, parts.is_local, parts.is_dates, kind, tuple(notes), _offsets(column))


def _split_texts(column: Column, fail: Callable[[int], CsvError]) -> tuple[dict[str, int], TextChunk]:
    """The row of each different date's first cell, and the cells of the whole column as one chunk. Raises CsvError.

    fail: the error of a row. A chunk has few different dates and times of day, so each is parsed only once.
    """
    dates: dict[str, int] = {}
    codes = np.empty(len(column), dtype=np.int64)
    seconds = np.empty(len(column))
    is_local = np.empty(len(column), dtype=np.bool_)
    row = 0
    is_dates = True
    for chunk in column.chunks:
        rows = slice(row, row + len(chunk))
        read = read_chunk(chunk, partial(_fail_after, fail, row))
        for text, first in read.dates:
            dates.setdefault(text, row + first)
        known = {text: code for code, text in enumerate(dates)}
        codes[rows] = np.array([known[text] for text, _ in read.dates], dtype=np.int64)[read.codes]
        seconds[rows], is_local[rows] = read.seconds, read.is_local
        is_dates = is_dates and read.is_dates
        row += len(chunk)
    return dates, TextChunk(list(dates.items()), codes, seconds, is_local, is_dates)


def _fail_after(fail: Callable[[int], CsvError], begin: int, row: int) -> CsvError:
    return fail(begin + row)


def _iso_times(column: Column) -> Times | None:
    """The times of a column that Arrow parses as ISO 8601: all with an offset from UTC, or all without. Else None."""
    for is_local, kind in ((True, pa.timestamp("us")), (False, pa.timestamp("us", tz="UTC"))):
        times = cast_all(column, kind)
        if times is None:
            continue
        micros = pc.cast(times, pa.int64()).to_numpy()
        lengths = pc.max(pc.binary_length(column)).as_py()
        flags = np.full(len(column), is_local)
        is_dates = is_local and lengths == len("2026-01-31")
        offsets = () if is_local else _offsets(column)
        return Times(micros / 1e6, flags, is_dates, "dates and times", offsets=offsets)
    return None


def _ambiguous_date(texts: Sequence[str], order: str | None) -> tuple[str, str] | None:
    """A date that can be read in two ways, and why. order: of day and month; None if it is unknown."""
    if order is None:
        example = next((text for text in texts if csv_date.order_of([text]) is None), texts[0])
        return example, (
            "may have the day or the month first; say --dates day-first or --dates month-first, or write the year first"
            " with four digits"
        )
    unsure = next((text for text in texts if csv_date.has_unsure_century(text)), None)
    if unsure is not None:
        return unsure, "may be in this or in the last century; write the year with four digits"
    return None


def _offsets(column: Column) -> tuple[timezone, ...]:
    """The different offsets from UTC in the first cells of a column, the commonest first."""
    texts = pc.struct_field(_first_parts(column), "offset").to_pylist()
    counts: Counter[int] = Counter()
    for text, count in Counter(texts).items():
        if text and (seconds := csv_date.offset_seconds(text)) is not None:
            counts[seconds] += count
    return tuple(
        timezone(timedelta(seconds=seconds)) if seconds else UTC for seconds, _ in counts.most_common()
    )


def _first_parts(column: Column) -> Column:
    """The groups of `csv_date.TIME` in the first cells of a column; null for a cell that is not such a time."""
    return pc.extract_regex(pc.utf8_trim_whitespace(column.slice(0, _OFFSET_CELLS)), csv_date.TIME)
