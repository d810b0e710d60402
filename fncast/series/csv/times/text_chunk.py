"""Splits the texts of a chunk of times into dates and times of day. Each different text is parsed only once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from fncast.series.csv.error import CsvError
from fncast.series.csv.times import date as csv_date
from fncast.series.csv.times.times import Floats

# More than a day has seconds: later chunks have the same times of day.
_MAX_CLOCKS = 100_000


@dataclass(frozen=True)
class TextChunk:
    """The cells of a chunk. dates: each different one with its first cell. codes: (cells,) positions in `dates`.

    seconds: (cells,) since midnight of the date, in UTC or, without an offset, in local time. is_local: (cells,).
    is_dates: no cell has a time of day.
    """

    dates: list[tuple[str, int]]
    codes: NDArray[np.int64]
    seconds: Floats
    is_local: NDArray[np.bool_]
    is_dates: bool


def read_chunk(chunk: Any, fail: Callable[[int], CsvError]) -> TextChunk:
    """Split the texts of a chunk into dates and times of day. fail: the error of a cell. Raises CsvError."""
    encoded = pc.utf8_trim_whitespace(chunk).dictionary_encode()
    cells = encoded.indices.to_numpy()
    parts = pc.extract_regex(encoded.dictionary, csv_date.TIME)

    def fail_text(text: int) -> CsvError:
        return fail(int(np.argmax(cells == text)))

    if parts.null_count:
        raise fail_text(pc.index(pc.is_valid(parts), False).as_py())
    dates = pc.struct_field(parts, "date").dictionary_encode()
    codes = dates.indices.to_numpy()[cells]
    seconds = _seconds(parts, fail_text)
    is_local = pc.equal(pc.struct_field(parts, "offset"), "").to_numpy(zero_copy_only=False)
    is_dates = bool(pc.all(pc.equal(pc.struct_field(parts, "time"), "")).as_py())
    _, firsts = np.unique(codes, return_index=True)
    found = list(zip(dates.dictionary.to_pylist(), firsts.tolist(), strict=True))
    return TextChunk(found, codes, seconds[cells], is_local[cells], is_dates)


def _seconds(parts: Any, fail: Callable[[int], CsvError]) -> Floats:
    """The seconds since midnight of the date in UTC, or in local time where a text has no offset. Raises CsvError.

    parts: the groups of `csv_date.TIME`.
    """
    halves = pc.struct_field(parts, "half")
    clocks = pc.binary_join_element_wise(pc.struct_field(parts, "time"), halves, "|").dictionary_encode()
    seconds = _each(clocks, _clock, fail)
    offset_s = _each(pc.struct_field(parts, "offset").dictionary_encode(), csv_date.offset_seconds, fail)
    fractions = pc.struct_field(parts, "fraction")
    if pc.all(pc.equal(fractions, "")).as_py():
        return seconds - offset_s
    fractions = pc.replace_substring(fractions, ",", ".")
    fraction = pc.cast(
        pc.binary_join_element_wise(pc.if_else(pc.equal(fractions, ""), ".0", fractions), "", "0"),
        pa.float64(),
    )
    read: Floats = seconds + fraction.to_numpy() - offset_s
    return read


@lru_cache(_MAX_CLOCKS)
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
