"""Parses a column of a CSV file as times: texts, compact digits, seconds since 1970, and Excel's day numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fncast.series import csv_date
from fncast.series.csv_error import CsvError, shown
from fncast.series.csv_table import Column, Table

Floats = NDArray[np.float64]

DAY_S = 86_400
_DIGITS = re.compile(r"[+-]?[0-9]+([.,][0-9]*)?")
# The names of compact times, by their number of digits.
_COMPACT = {
    6: "YYYYMM", 8: "YYYYMMDD", 10: "YYYYMMDDHH", 12: "YYYYMMDDHHMM", 14: "YYYYMMDDHHMMSS", 17: "YYYYMMDDHHMMSSsss",
}  # fmt: skip
_COMPACT_YEARS = ("19", "20")
# Numbers since 1970, by unit: minimum and maximum number of digits before the point, name, units in a second.
_EPOCH_UNITS = (
    (9, 10, "seconds", 1.0),
    (12, 13, "milliseconds", 1e3),
    (15, 16, "microseconds", 1e6),
    (18, 19, "nanoseconds", 1e9),
)
# With this share of valid compact times the other cells are errors. Some seconds since 1970 look like compact times.
_COMPACT_SHARE = 0.5
# Excel counts days since 1899-12-30; the range is 1954 to 2119.
_EXCEL_DAYS = (20_000, 80_000)
_EXCEL_EPOCH_DAY = -25_569
# The form of numbers that are too small to be times of the last decades.
SMALL = "seconds since 1970, small"
# Cells that are searched for the commonest offset from UTC.
_OFFSET_CELLS = 10_000
# Numbers that are dates of a form that is not read; what they are called.
_OTHER_DATES = (
    (r"^(19|20)[0-9]{2}(0[1-9]|[1-4][0-9]|5[0-3])$", "a year and a week"),
    (r"^(19|20)[0-9]{2}[1-4]$", "a year and a quarter"),
    (r"^(19|20)[0-9]{2}[.,](0[1-9]|1[0-2])$", "a year and a month"),
    (r"^(0?[1-9]|1[0-2])[.,](19|20)[0-9]{2}$", "a month and a year"),
)
# Fewer may look so by chance: four days of Excel look like four quarters.
_LEAST_OTHER_DATES = 5
# Counts of 100 ns for the years 1965 to 2060, which have as many digits as nanoseconds since 1970.
_TICKS = ((6.2e17, 6.5e17, ".NET ticks"), (1.15e17, 1.45e17, "Windows file times"))
_ADVICE = "write it as 2026-01-31T12:00:00Z, or as seconds since 1970"


@dataclass(frozen=True)
class Times:
    """seconds: since 1970, in UTC or, without an offset, in local time. is_local: which times have no offset.

    is_dates: the times are days, months or years, which are not converted. form: how they are written. offsets: the
    offsets from UTC in the cells, the commonest first; empty if no cell has one."""

    seconds: Floats
    is_local: NDArray[np.bool_]
    is_dates: bool
    form: str
    notes: tuple[str, ...] = ()
    offsets: tuple[timezone, ...] = ()

    def zone(self, given: tzinfo | None) -> tzinfo:
        """The zone of days and months for `to_grid`: the offset of the cells if all have the same one.

        given: the zone of times without an offset; it counts also where the offsets differ or the times are in UTC.
        None: the commonest offset, or UTC."""
        is_fixed = len(self.offsets) == 1 and self.offsets[0].utcoffset(None) and not self.is_local.any()
        if given is not None and not self.is_dates and not is_fixed:
            return given
        return self.offsets[0] if self.offsets else UTC


def time_form(cells: Sequence[str]) -> str | None:
    """The form of these cells as times: text, compact, year, epoch, excel or seconds. None if they are not times.

    cells: a sample without missing cells. Half of them decide, so that a wrong cell is reported as an error.
    `seconds` means numbers of any size, which may also be readings."""
    digits = [cell for cell in cells if _DIGITS.fullmatch(cell)]
    if digits and 2 * len(digits) >= len(cells):
        return _number_form(digits)
    texts = [match["date"] for cell in cells if (match := re.match(csv_date.TIME, cell))]
    dates = sum(_may_be_date(text) for text in texts)
    return "text" if dates and 2 * dates >= len(cells) else None


def is_time_of_day(cells: Sequence[str]) -> bool:
    return bool(cells) and all(re.match(csv_date.TIME_OF_DAY, cell) for cell in cells)


def _may_be_date(text: str) -> bool:
    return any(
        csv_date.day_number(text, order) is not None for order in (csv_date.DAY_FIRST, csv_date.MONTH_FIRST)
    )


def _number_form(cells: Sequence[str]) -> str:
    wholes = [re.split("[.,]", cell)[0] for cell in cells]
    lengths = {len(whole) for whole in wholes}
    is_whole = all(cell.isdigit() for cell in cells)
    if is_whole and len(lengths) == 1:
        [length] = lengths
        if length == 4 and all("1500" <= whole < "2300" for whole in wholes):
            return "year"
        valid = sum(_compact_seconds(whole) is not None for whole in wholes) if length in _COMPACT else 0
        if valid >= _COMPACT_SHARE * len(cells):
            return "compact"
    numbers = [float(cell.replace(",", ".")) for cell in cells]
    if all(_EXCEL_DAYS[0] <= number < _EXCEL_DAYS[1] for number in numbers):
        return "excel"
    if all(_epoch_unit(whole) is not None for whole in wholes):
        return "epoch"
    return "seconds"


def _epoch_unit(whole: str) -> tuple[str, float] | None:
    digits = len(whole.lstrip("+-"))
    return next((unit[2:] for unit in _EPOCH_UNITS if unit[0] <= digits <= unit[1]), None)


def _compact_seconds(text: str) -> float | None:
    if not text.startswith(_COMPACT_YEARS) or len(text) not in _COMPACT:
        return None
    day = csv_date.day_number(text[:8] if len(text) > 6 else text + "01")
    clock = csv_date.seconds_of_day(text[8:14].ljust(4, "0")) if len(text) > 8 else 0
    if day is None or clock is None:
        return None
    return day * DAY_S + clock + (int(text[14:]) / 1000 if len(text) > 14 else 0.0)


def read_times(table: Table, at: int, form: str, clock: int | None = None, order: str | None = None) -> Times:
    """The times of a column. form: see `time_form`. clock: position of a second column with the time of day.

    order: `day-first` or `month-first`, if the dates do not show it. Raises CsvError, which names line and cell."""
    column = table.columns[at]
    if clock is not None:
        column = _joined(column, table.columns[clock])
        return _texts(table, at, column, order)
    if form == "text":
        return _texts(table, at, column, order)
    return _numbers(table, at, column, form)


def _joined(dates: Column, clocks: Column) -> Column:
    date, clock = pc.utf8_trim_whitespace(dates), pc.utf8_trim_whitespace(clocks)
    # Excel writes a date column as a date at midnight.
    date = pc.replace_substring_regex(date, r"[ T]00?:00(:00(\.0+)?)?$", "")
    return pc.binary_join_element_wise(date, clock, " ")


def _texts(table: Table, at: int, column: Column, order: str | None) -> Times:
    for is_local, kind in ((True, pa.timestamp("us")), (False, pa.timestamp("us", tz="UTC"))):
        try:
            micros = pc.cast(pc.cast(column, kind), pa.int64()).to_numpy()
        except pa.ArrowInvalid:
            continue
        lengths = pc.max(pc.binary_length(column)).as_py()
        flags = np.full(len(column), is_local)
        is_dates = is_local and lengths == len("2026-01-31")
        offsets = () if is_local else _offsets(column)
        return Times(micros / 1e6, flags, is_dates, "dates and times", offsets=offsets)
    # A column has few different dates and times of day: parse each only once.
    encoded = pc.utf8_trim_whitespace(column).combine_chunks().dictionary_encode()
    codes = encoded.indices.to_numpy()
    parts = pc.extract_regex(encoded.dictionary, csv_date.TIME)

    def fail(code: int, why: str = f"is not a time; {_ADVICE}") -> CsvError:
        row = int(np.argmax(codes == code))
        return CsvError(f"{table.name}, line {table.line(row)}: {shown(column[row].as_py())} {why}")

    if parts.null_count:
        raise fail(pc.index(pc.is_valid(parts), False).as_py())
    dates = pc.struct_field(parts, "date").dictionary_encode()
    texts = dates.dictionary.to_pylist()
    try:
        found = csv_date.order_of(texts) or order
    except ValueError as error:
        raise CsvError(f"{table.name}, column {shown(table.header[at])}: {error}; write them alike") from None
    if found is None:
        example = next(text for text in texts if csv_date.order_of([text]) is None)
        raise fail(
            pc.index(pc.struct_field(parts, "date"), example).as_py(),
            "may have the day or the month first; say --dates day-first or --dates month-first, or write the year first"
            " with four digits",
        )
    days = _each(dates, lambda text: csv_date.day_number(text, found), fail)
    halves = pc.struct_field(parts, "half")
    clocks = pc.binary_join_element_wise(pc.struct_field(parts, "time"), halves, "|").dictionary_encode()
    seconds = _each(clocks, _clock, fail)
    offsets = pc.struct_field(parts, "offset")
    ahead = _each(offsets.dictionary_encode(), csv_date.offset_seconds, fail)
    fractions = pc.replace_substring(pc.struct_field(parts, "fraction"), ",", ".")
    fraction = pc.cast(
        pc.binary_join_element_wise(pc.if_else(pc.equal(fractions, ""), ".0", fractions), "", "0"),
        pa.float64(),
    )
    read = days * DAY_S + seconds + fraction.to_numpy() - ahead
    is_local = pc.equal(offsets, "").to_numpy(zero_copy_only=False)
    is_dates = bool(pc.all(pc.equal(pc.struct_field(parts, "time"), "")).as_py())
    notes = []
    if is_local.any() and not is_local.all():
        count = int(is_local[codes].sum())
        notes.append(f"{count} of {len(column)} times have no offset from UTC")
    kind = "dates" if is_dates else "dates and times"
    if pc.any(pc.match_substring_regex(dates.dictionary, r"^[0-9]{1,2}[-/.][0-9]{1,2}[-/.]")).as_py():
        kind += f", {found}"
    return Times(read[codes], is_local[codes], is_dates, kind, tuple(notes), _offsets(column))


def _offsets(column: Column) -> tuple[timezone, ...]:
    """The different offsets from UTC in the first cells of a column, the commonest first."""
    cells = pc.utf8_trim_whitespace(column.slice(0, _OFFSET_CELLS))
    texts = pc.struct_field(pc.extract_regex(cells, csv_date.TIME), "offset").to_pylist()
    counts: Counter[int] = Counter()
    for text, count in Counter(texts).items():
        if text and (seconds := csv_date.offset_seconds(text)) is not None:
            counts[seconds] += count
    return tuple(
        timezone(timedelta(seconds=seconds)) if seconds else UTC for seconds, _ in counts.most_common()
    )


def _clock(text: str) -> int | None:
    clock, _, half = text.partition("|")
    return csv_date.seconds_of_day(clock, half) if clock else 0


def _each(encoded: Any, read: Callable[[str], int | None], fail: Callable[[int], CsvError]) -> Floats:
    """Apply `read` once to each different text. Raises the error of `fail` for the first text that gives None."""
    codes = encoded.indices.to_numpy()
    values = np.empty(len(encoded.dictionary))
    for code, text in enumerate(encoded.dictionary.to_pylist()):
        value = read(text)
        if value is None:
            raise fail(int(np.argmax(codes == code)))
        values[code] = value
    taken: Floats = values[codes]
    return taken


def _numbers(table: Table, at: int, column: Column, form: str) -> Times:
    def fail(row: int, why: str) -> CsvError:
        cell = shown(column[row].as_py())
        return CsvError(f"{table.name}, line {table.line(row)}: {cell} {why}")

    try:
        numbers = pc.cast(column, pa.int64()).to_numpy()
    except pa.ArrowInvalid:
        column = pc.replace_substring(pc.utf8_trim_whitespace(column), ",", ".")
        wrong = pc.index(pc.match_substring_regex(column, r"^[+-]?[0-9]+(\.[0-9]*)?$"), False).as_py()
        if wrong >= 0:
            cell = column[wrong].as_py()
            why = f"is not a time; {_ADVICE}"
            if re.fullmatch(r"[0-9][.,]?[0-9]*[eE]\+?[0-9]+", cell):
                why = "is a time that lost its last digits to an exponent; write all digits"
            raise fail(wrong, why) from None
        numbers = pc.cast(column, pa.float64()).to_numpy()
    local = np.ones(len(numbers), dtype=np.bool_)
    if form == "year":
        return Times(_years(numbers, fail), local, True, "years")
    if form == "compact":
        return _compact(column, numbers, fail)
    if form in ("excel", "seconds") and len(column) >= _LEAST_OTHER_DATES:
        for pattern, what in _OTHER_DATES:
            if pc.all(pc.match_substring_regex(column, pattern)).as_py():
                raise fail(0, f"looks like {what}, as the others do; {_ADVICE}")
    if form == "excel":
        outside = (numbers < _EXCEL_DAYS[0]) | (numbers >= _EXCEL_DAYS[1])
        if outside.any():
            raise fail(int(np.argmax(outside)), "is not an Excel day number like the others (20000 to 79999)")
        seconds = np.round((numbers + _EXCEL_EPOCH_DAY) * DAY_S * 1000) / 1000
        # Excel rounds a time of day to a millionth of a day.
        seconds = np.where(np.abs(seconds - np.round(seconds)) < 0.5, np.round(seconds), seconds)
        is_dates = bool((seconds % DAY_S == 0).all())
        note = "the times are Excel's day numbers"
        return Times(seconds, local, is_dates, "Excel day numbers", (note,))
    if form == "epoch":
        lengths = np.abs(numbers)
        unit = _epoch_unit(str(int(np.median(lengths))))
        if unit is not None:
            name, scale = unit
            for low, high, other in _TICKS:
                if low <= np.median(lengths) < high:
                    raise fail(0, f"may count {name} since 1970 or {other}; {_ADVICE}")
            # The digits that the unit may have, from 1973 to 2286; fewer are earlier moments only where all are.
            least, most = 1e8 * scale, 1e10 * scale
            outside = (lengths < least) | (lengths >= most)
            if outside.any():
                raise fail(
                    int(np.argmax(outside)),
                    f"is not a number of {name} since 1970 like the others; fix the time",
                )
            if numbers.dtype == np.int64 and scale > 1:
                whole = int(scale)
                seconds = numbers // whole + (numbers % whole) / scale
            else:
                seconds = numbers / scale
            return Times(seconds, np.zeros(len(numbers), dtype=np.bool_), False, f"{name} since 1970")
    wrong_rows = np.abs(numbers) >= 1e11
    if wrong_rows.any():
        raise fail(
            int(np.argmax(wrong_rows)),
            "is neither a date of YYYYMMDDHHMMSS nor seconds, milliseconds, microseconds or nanoseconds since 1970",
        )
    seconds = numbers.astype(np.float64)
    return Times(seconds, np.zeros(len(numbers), dtype=np.bool_), False, SMALL)


def _years(numbers: Any, fail: Callable[[int, str], CsvError]) -> Floats:
    years, codes = np.unique(numbers, return_inverse=True)
    outside = (years < 1) | (years > 9999) | (years != np.floor(years))
    if outside.any():
        raise fail(int(np.argmax(numbers == years[np.argmax(outside)])), "is not a year like the others")
    seconds = np.array(
        [DAY_S * (csv_date.day_number(f"{int(year):04}-01-01") or 0) for year in years], dtype=float
    )
    taken: Floats = seconds[codes]
    return taken


def _compact(column: Column, numbers: Any, fail: Callable[[int, str], CsvError]) -> Times:
    values, codes = np.unique(numbers, return_inverse=True)
    seconds = np.empty(len(values))
    length = len(str(int(np.median(numbers))))
    name = _COMPACT.get(length, "YYYYMMDD")
    for at, value in enumerate(values.tolist()):
        text = str(int(value))
        read = _compact_seconds(text) if len(text) == length and value == int(value) else None
        if read is None:
            raise fail(int(np.argmax(codes == at)), f"is not a time of the form {name}, as the others are")
        seconds[at] = read
    return Times(seconds[codes], np.ones(len(numbers), dtype=np.bool_), length <= 8, name)
