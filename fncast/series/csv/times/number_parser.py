"""Parses a column of numbers as times: compact digits, years, numbers since 1970, and Excel's day numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fncast.series.csv.error import CsvError, quoted
from fncast.series.csv.table import Column, CsvTable
from fncast.series.csv.times import date as csv_date
from fncast.series.csv.times.times import ADVICE, DAY_S, SMALL, Floats, Times

# The error of a row, with the reason.
Fail = Callable[[int, str], CsvError]

# The names of compact times, by their number of digits.
_COMPACT = {
    6: "YYYYMM", 8: "YYYYMMDD", 10: "YYYYMMDDHH", 12: "YYYYMMDDHHMM", 14: "YYYYMMDDHHMMSS", 17: "YYYYMMDDHHMMSSsss",
}  # fmt: skip
_COMPACT_YEARS = ("19", "20")
# pandas writes whole numbers as 2026.0 if one of them is missing.
_WHOLE = re.compile("[0-9]+([.,]0+)?")
# Numbers since 1970, by unit: minimum and maximum number of digits before the point, name, units in a second.
_EPOCH_UNITS = (
    (9, 10, "seconds", 1.0),
    (12, 13, "milliseconds", 1e3),
    (15, 16, "microseconds", 1e6),
    (18, 19, "nanoseconds", 1e9),
)
# Numbers are compact times if at least this share is valid; the others are errors. By chance, some seconds since 1970
# are valid compact times.
_COMPACT_SHARE = 0.5
# Excel counts days since 1899-12-30; the range is 1954 to 2119.
_EXCEL_DAYS = (20_000, 80_000)
_EXCEL_EPOCH_DAY = -25_569
_DAY_OF_YEAR = "(00[1-9]|0[1-9][0-9]|[12][0-9]{2}|3[0-5][0-9]|36[0-6])"
_DAY = "(0[1-9]|[12][0-9]|3[01])"
_MONTH = "(0[1-9]|1[0-2])"
_CLOCK = "([01][0-9]|2[0-3])([0-5][0-9]([0-5][0-9])?)?"
# Numbers that are dates in a form that is not read, with its name.
_OTHER_DATES = (
    (r"^(19|20)[0-9]{2}(0[1-9]|[1-4][0-9]|5[0-3])$", "a year and a week"),
    (rf"^(19|20)[0-9]{{2}}{_DAY_OF_YEAR}({_CLOCK})?$", "a year and a day of the year"),
    (rf"^{_DAY}{_MONTH}(19|20)[0-9]{{2}}({_CLOCK})?$", "a date with the day first"),
    (rf"^{_MONTH}{_DAY}(19|20)[0-9]{{2}}({_CLOCK})?$", "a date with the month first"),
    (rf"^[0-9]{{2}}{_MONTH}{_DAY}({_CLOCK})?$", "a date with a year of two digits"),
    (r"^(19|20)[0-9]{2}[1-4]$", "a year and a quarter"),
    (rf"^[12][0-9]{_DAY_OF_YEAR}$", "a year of two digits and a day of the year"),
    (r"^(19|20)[0-9]{2}[.,](0[1-9]|1[0-2])$", "a year and a month"),
    (r"^(0?[1-9]|1[0-2])[.,](19|20)[0-9]{2}$", "a month and a year"),
)
# Fewer numbers may match by chance: four day numbers of Excel can look like four quarters.
_MIN_OTHER_DATES = 5
# Other meanings of numbers that look like Excel's days or seconds since 1970, for the years 2000 to 2040: minimum,
# maximum, name.
_OTHER_COUNTS = (
    (1_500, 2_300, "years"),
    (10_957, 25_567, "days since 1970"),
    (51_544, 66_153, "modified Julian days"),
    (262_968, 613_608, "hours since 1970"),
    (730_486, 745_095, "MATLAB's days"),
    (2_451_544, 2_466_154, "Julian days"),
    (15_778_080, 36_816_480, "minutes since 1970"),
)
# Counts with as many digits as those since 1970: of 100 ns for the years 1965 to 2060, the others for 2000 to 2040.
_OTHER_EPOCHS = (
    (9.46e10, 2.21e11, "hundredths of a second since 1970"),
    (9.46e13, 2.21e14, "units of 10 microseconds since 1970"),
    (6.2e17, 6.5e17, ".NET ticks"),
    (1.15e17, 1.45e17, "Windows file times"),
    (9.46e16, 2.21e17, "units of 10 nanoseconds since 1970"),
    (3.03e9, 4.42e9, "seconds since 1900 or 1904"),
)


def number_form(cells: Sequence[str]) -> str:
    """The form of these numbers as times: year, compact, excel, epoch or seconds. See `parser.time_form`."""
    wholes = [re.split("[.,]", cell)[0] for cell in cells]
    lengths = {len(whole) for whole in wholes}
    is_whole = all(_WHOLE.fullmatch(cell) for cell in cells)
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


def read_numbers(table: CsvTable, at: int, column: Column, form: str) -> Times:
    """The times of a column of numbers. form: see `number_form`. Raises CsvError, which names line and cell."""

    def fail(row: int, why: str) -> CsvError:
        cell = quoted(column[row].as_py())
        return CsvError(f"{table.name}, line {table.line(row)}: {cell} {why}")

    numbers = _whole_numbers(column)
    if numbers is None:
        column = pc.replace_substring(pc.utf8_trim_whitespace(column), ",", ".")
        numbers = _decimal_numbers(column, fail)
    if form == "year":
        return Times(_years(numbers, fail), _all_local(numbers), True, "years")
    if form == "compact":
        return _compact(column, numbers, fail)
    _check_other_meanings(column, numbers, form, fail)
    if form == "excel":
        return _excel(numbers, fail)
    if form == "epoch" and (unit := _epoch_unit(str(int(np.median(np.abs(numbers)))))) is not None:
        return _epoch(numbers, *unit, fail)
    too_large = np.abs(numbers) >= 1e10
    if too_large.any():
        raise fail(
            int(np.argmax(too_large)),
            "is neither a date of YYYYMMDDHHMMSS nor seconds, milliseconds, microseconds or nanoseconds since 1970",
        )
    return Times(numbers.astype(np.float64), _none_local(numbers), False, SMALL)


def _whole_numbers(column: Column) -> Any:
    """The cells as (rows,) int64; None if one is not a whole number."""
    try:
        return pc.cast(column, pa.int64()).to_numpy()
    except pa.ArrowInvalid:
        return None


def _decimal_numbers(column: Column, fail: Fail) -> Any:
    """The cells, which are trimmed, as (rows,) float64. Raises CsvError."""
    wrong = pc.index(pc.match_substring_regex(column, r"^[+-]?[0-9]+(\.[0-9]*)?$"), False).as_py()
    if wrong >= 0:
        why = f"is not a time; {ADVICE}"
        if re.fullmatch(r"[0-9][.,]?[0-9]*[eE]\+?[0-9]+", column[wrong].as_py()):
            why = "is a time that lost its last digits to an exponent; write all digits"
        raise fail(wrong, why)
    return pc.cast(column, pa.float64()).to_numpy()


def _check_other_meanings(column: Column, numbers: Any, form: str, fail: Fail) -> None:
    """Raises CsvError if all numbers may as well be dates of another form, or count something else."""
    if len(column) >= _MIN_OTHER_DATES:
        for pattern, what in _OTHER_DATES:
            if pc.all(pc.match_substring_regex(column, pattern)).as_py():
                raise fail(0, f"looks like {what}, as the others do; {ADVICE}")
    if form == "epoch":
        return
    for first, end, other in _OTHER_COUNTS:
        if ((numbers >= first) & (numbers < end)).all():
            usual = "Excel's days" if form == "excel" else "seconds since 1970"
            raise fail(0, f"may count {usual} or {other}; {ADVICE}")


def _excel(numbers: Any, fail: Fail) -> Times:
    """The times of Excel's day numbers."""
    outside = (numbers < _EXCEL_DAYS[0]) | (numbers >= _EXCEL_DAYS[1])
    if outside.any():
        raise fail(int(np.argmax(outside)), "is not an Excel day number like the others (20000 to 79999)")
    seconds = np.round((numbers + _EXCEL_EPOCH_DAY) * DAY_S * 1000) / 1000
    # Excel rounds a time of day to a millionth of a day.
    seconds = np.where(np.abs(seconds - np.round(seconds)) < 0.5, np.round(seconds), seconds)
    is_dates = bool((seconds % DAY_S == 0).all())
    note = "the times are Excel's day numbers"
    return Times(seconds, _all_local(numbers), is_dates, "Excel day numbers", (note,))


def _epoch(numbers: Any, name: str, scale: float, fail: Fail) -> Times:
    """The times of numbers since 1970. name: of their unit. scale: units in a second."""
    lengths = np.abs(numbers)
    for low, high, other in _OTHER_EPOCHS:
        if low <= np.median(lengths) < high:
            raise fail(0, f"may count {name} since 1970 or {other}; {ADVICE}")
    # The digits that the unit may have, from 1973 to 2286; fewer are earlier moments only where all are.
    least, most = 1e8 * scale, 1e10 * scale
    outside = (lengths < least) | (lengths >= most)
    if outside.any():
        raise fail(
            int(np.argmax(outside)), f"is not a number of {name} since 1970 like the others; fix the time"
        )
    if numbers.dtype == np.int64 and scale > 1:
        whole = int(scale)
        seconds = numbers // whole + (numbers % whole) / scale
    else:
        seconds = numbers / scale
    return Times(seconds, _none_local(numbers), False, f"{name} since 1970")


def _all_local(numbers: Any) -> NDArray[np.bool_]:
    return np.ones(len(numbers), dtype=np.bool_)


def _none_local(numbers: Any) -> NDArray[np.bool_]:
    return np.zeros(len(numbers), dtype=np.bool_)


def _years(numbers: Any, fail: Fail) -> Floats:
    years, codes = np.unique(numbers, return_inverse=True)
    outside = (years < 1) | (years > 9999) | (years != np.floor(years))
    if outside.any():
        raise fail(int(np.argmax(numbers == years[np.argmax(outside)])), "is not a year like the others")
    seconds = np.array(
        [DAY_S * (csv_date.day_number(f"{int(year):04}-01-01") or 0) for year in years], dtype=float
    )
    taken: Floats = seconds[codes]
    return taken


def _compact(column: Column, numbers: Any, fail: Fail) -> Times:
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
    return Times(seconds[codes], _all_local(numbers), length <= 8, name)
