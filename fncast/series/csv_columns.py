"""Finds the role of each column of a CSV file: by the options, else by its content, else by its usual name."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field

import pyarrow.compute as pc

from fncast.series.csv_error import CsvError, listed, shown
from fncast.series.csv_number import parse_number
from fncast.series.csv_options import CsvOptions
from fncast.series.csv_profile import Profile, profiles
from fncast.series.csv_table import Table

# Usual names of time columns, the preferred ones first.
TIME_NAMES = (
    "timestamp", "time", "datetime", "date_time", "_time", "ds", "date", "ts", "last_changed", "last_updated", "utc",
    "time_utc", "timestamp_utc", "zeitstempel", "datum", "zeit", "mess_datum", "period", "month", "year", "t", "epoch",
)  # fmt: skip
SERIES_NAMES = frozenset(
    (
        "series", "series_id", "unique_id", "id", "item_id", "item", "name", "subject", "entity_id", "device",
        "device_id", "sensor", "sensor_id", "station", "station_id", "stations_id", "host", "hostname", "server",
        "node", "machine", "meter", "meter_id", "store", "store_id", "store_nbr", "shop", "product", "product_id",
        "sku",
        "symbol", "ticker", "metric", "location", "site", "site_id", "channel", "tag", "variable", "asset",
        "asset_id", "instance", "key", "group", "gerät", "geraet", "standort", "zähler", "zaehler", "messstelle",
    )
)  # fmt: skip
_ID_NAME = re.compile(r".*(_|\b)ids?")
_BEGIN_NAME = re.compile(r".*\b(start|begin|from|von|ab|anfang)\b.*|.*_(start|begin|from|von)", re.IGNORECASE)
# A column without a name is not read: it is an index that pandas wrote, or the rest after a comma at the line's end.
_UNNAMED = re.compile(r"(Unnamed: \d+)?")
# Texts of a state column, which does not name series.
_YES_OR_NO = frozenset(("true", "false", "t", "f", "yes", "no", "y", "n", "on", "off", "ja", "nein"))
_INFLUX_OWN = frozenset(("result", "table", "_start", "_stop"))


@dataclass
class Columns:
    """The positions of the columns, by role.

    clock: the time of day, if the time column holds only dates. values, series: of the readings and the series' names.
    is_alone: there is only one column besides the time. series_is_guessed: the series column was chosen only because it
    holds text; it may be a remark on each reading. skipped: columns that are not read, with the reason. harmless: the
    skipped columns without content."""

    time: Profile
    clock: int | None
    values: list[int]
    series: list[int]
    is_alone: bool
    series_is_guessed: bool = False
    skipped: dict[str, str] = field(default_factory=dict)
    harmless: set[str] = field(default_factory=set)


def default_header(count: int) -> tuple[str, ...]:
    """The names of `count` columns of a file without a header."""
    if count == 2:
        return ("timestamp", "value")
    return ("timestamp", *(f"column_{number + 2}" for number in range(count - 1)))


def find_columns(table: Table, options: CsvOptions, is_influx: bool) -> Columns:
    """Find the role of each column. Raises CsvError, which names the candidates and the flag if there are several."""
    found = profiles(table)

    def find(name: str) -> Profile:
        if name not in table.header:
            raise CsvError(
                f"{table.name}: there is no column {name!r}; the columns are {', '.join(table.header)}"
            )
        if table.header.count(name) > 1:
            raise _same_name_error(table, name)
        return found[table.header.index(name)]

    if options.time_column is not None:
        time = find(options.time_column)
        if time.form is None and not time.is_clock:
            example = f", but {shown(time.cells[0])}" if time.cells else ""
            raise CsvError(
                f"{table.name}: column {time.name!r} holds no times{example}; name another --time-column"
            )
    else:
        time = _find_time(table, [one for one in found if is_influx is False or one.key not in _INFLUX_OWN])
    clock = _find_clock(time, found)
    if time.form is None:
        raise CsvError(
            f"{table.name}: column {time.name!r} holds times of day, but no column holds dates; add a column of dates"
        )
    taken = {time.at} | ({clock} if clock is not None else set())
    chosen = None if options.value_columns is None else [find(name) for name in options.value_columns]
    others = [one for one in found if one.at not in taken]
    named = [one for one in others if not _UNNAMED.fullmatch(one.name)]
    columns = Columns(time, clock, [], [], is_alone=len(named or others) == 1)
    for one in others:
        if _UNNAMED.fullmatch(one.name) and named and not (one.is_text and not one.is_empty):
            if chosen is None:
                columns.skipped[f"column {one.at + 1}"] = "it has no name"
            if one.is_empty:
                columns.harmless.add(f"column {one.at + 1}")
            others = [other for other in others if other is not one]
    free = [one for one in others if chosen is None or one not in chosen]
    if options.series_columns:
        columns.series = [find(name).at for name in options.series_columns]
    elif is_influx:
        columns.series = _influx_series(table, columns, free)
        free = others = [one for one in others if one.key not in _INFLUX_OWN]
    elif chosen is not None or len(others) > 1:
        _guess_series(table, columns, free, certain=chosen is not None)
    if chosen is not None:
        columns.values = [one.at for one in chosen if one.at not in taken and one.at not in columns.series]
    else:
        for one in others:
            if one.at not in columns.series and one.name not in columns.skipped:
                reason = _reason(table, one, time)
                if reason is None:
                    columns.values.append(one.at)
                else:
                    columns.skipped[f"column {one.name!r}" if one.name else f"column {one.at + 1}"] = reason
        if not columns.values:
            _take_padded(columns, others)
    _check(table, columns)
    return columns


def _take_padded(columns: Columns, others: list[Profile]) -> None:
    """Take numbers with leading zeros for values where nothing else is: meters count so."""
    for one in others:
        if one.is_padded and one.at not in columns.series and one.key not in SERIES_NAMES:
            columns.values.append(one.at)
            columns.skipped.pop(f"column {one.name!r}" if one.name else f"column {one.at + 1}", None)


def _check(table: Table, columns: Columns) -> None:
    if not columns.values:
        why = "; ".join(f"{what}: {reason}" for what, reason in list(columns.skipped.items())[:5])
        raise CsvError(
            f"{table.name}: no column is left for the values; the columns are {', '.join(table.header)}"
            + (f" ({why})" if why else "")
        )
    for at in (columns.time.at, *columns.series, *columns.values):
        if table.header.count(table.header[at]) > 1:
            raise _same_name_error(table, table.header[at])


def _same_name_error(table: Table, name: str) -> CsvError:
    places = ", ".join(str(at) for at, other in enumerate(table.header, start=1) if other == name)
    return CsvError(
        f"{table.name}: columns {places} have the same name, {name!r}, so their readings cannot be distinguished;"
        " rename them"
    )


def _find_time(table: Table, found: list[Profile]) -> Profile:
    """The column of times. Raises CsvError."""
    named = [one for one in found if one.key in TIME_NAMES and one.form is not None]
    named.sort(key=lambda one: TIME_NAMES.index(one.key))
    sure = [one for one in named if one.form != "seconds"]
    if sure:
        return sure[0]
    texts = [one for one in found if one.form == "text"]
    if len(texts) > 1:
        texts = [one for one in texts if _BEGIN_NAME.fullmatch(one.name)] or texts
    if texts:
        return _only(table, texts)
    numbers = [one for one in found if one.form in ("epoch", "compact") and _rises(one)] or [
        one for one in found if one.form in ("excel", "year") and not named and _rises(one)
    ]
    if numbers:
        return _only(table, numbers)
    if named:
        return named[0]
    clocks = [one for one in found if one.is_clock]
    if len(clocks) == 1:
        return clocks[0]
    unread = next((one for one in found if one.key in TIME_NAMES and one.cells), None)
    example = f"; {shown(unread.cells[0])} in column {unread.name!r} is not read as a time" if unread else ""
    raise CsvError(
        f"{table.name}: no column holds times (the columns are {', '.join(table.header)}){example}; write times as"
        " 2026-01-31T12:00:00Z, or name the column with --time-column"
    )


def _only(table: Table, candidates: list[Profile]) -> Profile:
    if len(candidates) > 1:
        names = listed([one.name for one in candidates])
        raise CsvError(f"{table.name}: columns {names} all hold times; say which one with --time-column")
    return candidates[0]


def _rises(one: Profile) -> bool:
    """Whether the numbers never decrease or never increase, as times do."""
    numbers = [number.point or 0.0 for cell in one.cells if (number := parse_number(cell)) is not None]
    pairs = list(itertools.pairwise(numbers))
    return all(a <= b for a, b in pairs) or all(a >= b for a, b in pairs)


def _find_clock(time: Profile, found: list[Profile]) -> int | None:
    """The column with the time of day, if the time column holds only dates."""
    is_date = time.form == "text" and all(
        ":" not in cell or re.search(r"[ T]0?0:00(:00(\.0+)?)?$", cell) for cell in time.cells
    )
    if not is_date and not (time.form == "compact" and all(len(cell) == 8 for cell in time.cells)):
        return None
    clocks = [one for one in found if one.is_clock and one.at != time.at]
    return clocks[0].at if len(clocks) == 1 else None


def _reason(table: Table, one: Profile, time: Profile) -> str | None:
    """The reason why a column holds no readings. None if it holds readings."""
    if one.is_empty:
        # Only some cells were inspected: check the whole column.
        distinct = [text.strip() for text in pc.unique(table.columns[one.at]).to_pylist()]
        return "it is empty" if not any(distinct) else None
    if one.form == "text":
        return "it holds other times"
    if one.is_text:
        count = len(set(one.cells))
        example = shown(one.cells[0])
        return f"it holds text, {example}" + (" only" if count == 1 else " and others")
    if _numbers_the_rows(table, one):
        return "it numbers the rows"
    return None


def _numbers_the_rows(table: Table, one: Profile) -> bool:
    """Whether the column counts 1, 2, 3 and has the name of a row number."""
    if one.key not in (
        "id",
        "index",
        "idx",
        "no",
        "nr",
        "row",
        "row_id",
        "record_id",
        "#",
        "lfd_nr",
        "rownum",
    ):
        return False
    head = [cell for cell in one.cells[:100] if cell.isdigit()]
    return len(head) > 1 and all(int(b) - int(a) == 1 for a, b in itertools.pairwise(head))


def _influx_series(table: Table, columns: Columns, free: list[Profile]) -> list[int]:
    """The columns that name an InfluxDB series: measurement, field and tags that differ, else the field."""
    texts = [
        one
        for one in free
        if one.is_text and one.key not in _INFLUX_OWN and one.form is None and one.key != "_value"
    ]
    differing = [one.at for one in texts if _distinct(table, one.at) > 1]
    for one in free:
        if one.key in _INFLUX_OWN or (one in texts and differing and one.at not in differing):
            columns.skipped[f"column {one.name!r}"] = "it is the same throughout, or InfluxDB's own"
            columns.harmless.add(f"column {one.name!r}")
    return differing or [one.at for one in texts if one.key == "_field"]


def _guess_series(table: Table, columns: Columns, free: list[Profile], certain: bool) -> None:
    """Set the series column: one with a usual name, else the only text column with different texts.

    certain: the value columns are given. Raises CsvError if there are several candidates."""
    texts = [one for one in free if one.is_text and not one.is_empty and one.form != "text"]
    usual = [
        one
        for one in free
        if not one.is_empty
        and one.form != "text"
        and (one.key in SERIES_NAMES or _ID_NAME.fullmatch(one.key))
        and (one in texts or _may_name(table, one))
    ]
    if len(usual) > 1:
        usual = [one for one in usual if _distinct(table, one.at) > 1] or usual[:1]
    differing = [
        one
        for one in texts
        if _distinct(table, one.at) > 1 and not _YES_OR_NO.issuperset(cell.lower() for cell in one.cells)
    ]
    candidates = _without_synonyms(table, usual or differing)
    if len(candidates) == 1:
        columns.series = [candidates[0].at]
        columns.series_is_guessed = not usual
        return
    if usual and len(candidates) > 1:
        raise CsvError(
            f"{table.name}: columns {listed([one.name for one in candidates])} may name the series; say which with"
            " --series-column, once for each column that does"
        )
    if len(candidates) > 1 and not certain:
        raise CsvError(
            f"{table.name}: columns {listed([one.name for one in candidates])} hold text; say which one names the"
            " series with --series-column, or which columns hold values with --value-column"
        )


def _may_name(table: Table, one: Profile) -> bool:
    """Whether numbers may be names: they are whole, and some repeat."""
    if not all(re.fullmatch(r"[0-9]+(e[0-9]+)?", cell, re.IGNORECASE) for cell in one.cells):
        return False
    count = len(table)
    return _distinct(table, one.at) <= max(1, count // 2)


def _without_synonyms(table: Table, candidates: list[Profile]) -> list[Profile]:
    """Drop columns that distinguish the same rows as an earlier one, such as a station's number and its name."""
    kept: list[Profile] = []
    for one in candidates:
        if not any(_are_synonyms(table, other.at, one.at) for other in kept):
            kept.append(one)
    return kept


def _are_synonyms(table: Table, first: int, second: int) -> bool:
    count = _distinct(table, first)
    if count != _distinct(table, second):
        return False
    both = pc.binary_join_element_wise(table.columns[first], table.columns[second], "\0")
    return bool(pc.count_distinct(both).as_py() == count)


def _distinct(table: Table, at: int) -> int:
    return int(pc.count_distinct(table.columns[at]).as_py())
