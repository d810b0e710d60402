"""Which rows of a long CSV file belong to which series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, tzinfo

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from fncast.series.csv_error import CsvError
from fncast.series.csv_table import Table
from fncast.series.grid import NoGrid, to_grid

# What one series may lack, of as many readings as it has, to be taken for one rather than for a series a text.
MAX_LACKING_SHARE = 0.1


@dataclass(frozen=True)
class Keys:
    """names: of the series, in the order in which they come. codes: (rows,) the position of each row's name."""

    names: list[str]
    codes: NDArray[np.int64]

    def groups(self) -> Iterator[tuple[str, NDArray[np.int64]]]:
        """Each series with its rows in the order of the file."""
        order = np.argsort(self.codes, kind="stable")
        ends = np.cumsum(np.bincount(self.codes, minlength=len(self.names)))
        begin = 0
        for name, end in zip(self.names, ends.tolist(), strict=True):
            yield name, order[begin:end]
            begin = end


def read_keys(table: Table, columns: list[int], *, may_be_empty: bool = False) -> Keys:
    """The series of each row: the text in these columns, joined by `/`. Raises CsvError where it is empty."""
    parts = [pc.utf8_trim_whitespace(table.columns[at]) for at in columns]
    for part in parts:
        empty = pc.index(part, "").as_py()
        if empty >= 0 and not may_be_empty:
            raise CsvError(
                f"{table.name}, line {table.line(empty)}: the series' name is empty; fill it in or remove the line"
            )
    joined = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, "/")
    encoded = joined.combine_chunks().dictionary_encode()
    return Keys(encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64))


def are_remarks(table: Table, at: int, times_s: NDArray[np.float64], zone: tzinfo = UTC) -> bool:
    """Whether a column of text tells something of each reading (the weather, a holiday) and not whose it is.

    It does where all lines together are one regular series, no time of which comes with two texts, and those of each
    text by itself are full of gaps."""
    keys = read_keys(table, [at], may_be_empty=True)
    order = np.lexsort((keys.codes, times_s))
    times, codes = times_s[order], keys.codes[order]
    same = np.diff(times) == 0
    if (same & (np.diff(codes) != 0)).any():
        return False
    few = MAX_LACKING_SHARE * len(np.unique(times))
    if _lacking(times_s, zone) > few:
        return False
    lacking = 0.0
    for name, rows in keys.groups():
        lacking += len(rows) if name == "" else _lacking(times_s[rows], zone)
        if lacking > few:
            return True
    return "" in keys.names


def _lacking(times_s: NDArray[np.float64], zone: tzinfo) -> float:
    """How many readings are missing between these times, or lie between two steps."""
    try:
        _, mended = to_grid("", times_s, np.zeros(len(times_s)), zone=zone)
    except NoGrid:
        return len(times_s)
    return mended.missing + mended.off_grid + mended.replaced
