"""Assigns the rows of a long CSV file to series."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, tzinfo

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from fncast.series.csv.error import CsvError, quoted
from fncast.series.csv.table import CsvTable
from fncast.series.grid import NoGrid, to_grid

# The names that are inspected for numbers.
_INSPECTED_NAMES = 1000
# A digit, after signs and marks before a number: ~12, '12, ="12", (12.5), $12.
_LIKE_A_NUMBER = re.compile(r"[^\w\s]{0,3}\s?\d")
# With a larger share of missing readings, rows are not one regular series.
MAX_LACKING_SHARE = 0.1


@dataclass(frozen=True)
class Keys:
    """Which row belongs to which series.

    names: of the series, in the order of the file. codes: (rows,) the position of each row's name in `names`."""

    names: list[str]
    codes: NDArray[np.int64]

    def groups(self) -> Iterator[tuple[str, NDArray[np.int64]]]:
        """Each series with the numbers of its rows, in the order of the file."""
        order = np.argsort(self.codes, kind="stable")
        ends = np.cumsum(np.bincount(self.codes, minlength=len(self.names)))
        begin = 0
        for name, end in zip(self.names, ends.tolist(), strict=True):
            yield name, order[begin:end]
            begin = end


def read_keys(table: CsvTable, columns: list[int], *, may_be_empty: bool = False) -> Keys:
    """The series of each row: the texts in these columns, joined by `/`. Raises CsvError for an empty text."""
    parts = [pc.utf8_trim_whitespace(table.columns[at]) for at in columns]
    for part in parts:
        empty = pc.index(part, "").as_py()
        if empty >= 0 and not may_be_empty:
            raise CsvError(
                f"{table.name}, line {table.line(empty)}: the series' name is empty; fill it in or remove the line"
            )
    joined = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, "/")
    encoded = joined.combine_chunks().dictionary_encode()
    if len(parts) > 1:
        exact = pc.unique(pc.binary_join_element_wise(*parts, "\0")).to_pylist()
        if len(exact) > len(encoded.dictionary):
            [(name, _)] = Counter(text.replace("\0", "/") for text in exact).most_common(1)
            raise CsvError(f"{table.name}: two series have the name {quoted(name)}; rename one of them")
    return Keys(encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int64))


def are_remarks(
    table: CsvTable,
    at: int,
    times_s: NDArray[np.float64],
    zone: tzinfo = UTC,
    *,
    are_values_given: bool = False,
) -> bool:
    """Whether a text column holds remarks on the readings (the weather, a holiday) and not the names of series.

    It holds remarks if all rows together are one regular series, no time has two texts, and the rows of each text have
    many gaps. If they have few (weekdays, shifts), it holds remarks if the value columns are given; else it may hold
    either, and CsvError is raised. times_s: (rows,) seconds since 1970. zone: see `to_grid`.
    """
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
    if "" in keys.names or are_values_given:
        return True
    check_names(table, at, times_s)
    name = table.header[at]
    raise CsvError(
        f"{table.name}: column {quoted(name)} holds texts such as {quoted(keys.names[0])}, and each time occurs once;"
        f" pass --series-column {name} if they name series, or --value-column with the columns of values if they do not"
    )


def check_names(table: CsvTable, at: int, times_s: NDArray[np.float64]) -> None:
    """Check a text column that was taken for the names of series. times_s: (rows,) seconds since 1970.

    Raises CsvError if it may as well hold readings in a form that is not read, such as 0x1F, 1_000 or 1.2k: each text
    begins like a number, and no time has two texts.
    """
    keys = read_keys(table, [at], may_be_empty=True)
    names = [name for name in keys.names[:_INSPECTED_NAMES] if name]
    texts = ("".join(c for c in unicodedata.normalize("NFKC", name) if c.isprintable()) for name in names)
    if not all(_LIKE_A_NUMBER.match(text) for text in texts):
        return
    order = np.lexsort((keys.codes, times_s))
    same = np.diff(times_s[order]) == 0
    if not (same & (np.diff(keys.codes[order]) != 0)).any():
        raise CsvError(
            f"{table.name}: column {quoted(table.header[at])} holds texts such as {quoted(names[0])}, which may be"
            " names of series, or numbers in a form that is not read; pass --series-column for names, or write numbers"
            " as 1234.5, or remove the column"
        )


def _lacking(times_s: NDArray[np.float64], zone: tzinfo) -> float:
    """The number of readings that are missing, repeated or between two steps."""
    try:
        _, corrections = to_grid("", times_s, np.zeros(len(times_s)), zone=zone)
    except NoGrid:
        return len(times_s)
    return corrections.missing + corrections.off_grid + corrections.replaced
