"""Finds the columns of a CSV file that name its series."""

from __future__ import annotations

import re

import pyarrow.compute as pc

from fncast.series.csv.columns.columns import Columns
from fncast.series.csv.columns.profile import Profile
from fncast.series.csv.error import CsvError, quoted_list
from fncast.series.csv.table import CsvTable

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
# Texts of a state column, which does not name series.
_YES_OR_NO = frozenset(("true", "false", "t", "f", "yes", "no", "y", "n", "on", "off", "ja", "nein"))
# A file with these columns is InfluxDB's, also without annotations.
INFLUX_COLUMNS = frozenset(("_time", "_value", "_field"))
# Columns of InfluxDB itself, which hold neither values nor names.
INFLUX_OWN = frozenset(("result", "table", "_start", "_stop"))


def influx_series(table: CsvTable, columns: Columns, free: list[Profile]) -> list[int]:
    """The columns that name an InfluxDB series: measurement, field and tags that differ, else the field."""
    texts = [
        profile
        for profile in free
        if profile.is_text
        and profile.key not in INFLUX_OWN
        and profile.form is None
        and profile.key != "_value"
    ]
    differing = [profile.at for profile in texts if _distinct(table, profile.at) > 1]
    for profile in free:
        if profile.key in INFLUX_OWN or (profile in texts and differing and profile.at not in differing):
            columns.skipped[f"column {profile.name!r}"] = "it is the same throughout, or InfluxDB's own"
            columns.harmless.add(f"column {profile.name!r}")
    return differing or [profile.at for profile in texts if profile.key == "_field"]


def guess_series(table: CsvTable, columns: Columns, free: list[Profile], are_values_given: bool) -> None:
    """Set the series column: one with a usual name, else the only text column with different texts.

    are_values_given: by the options. Raises CsvError if there are several candidates.
    """
    texts = [
        profile
        for profile in free
        if profile.is_text and not profile.is_empty and profile.form != "text" and not profile.is_clock
    ]
    usual = [
        profile
        for profile in free
        if not profile.is_empty
        and profile.form != "text"
        and (profile.key in SERIES_NAMES or _ID_NAME.fullmatch(profile.key))
        and (profile in texts or _may_name(table, profile))
    ]
    if len(usual) > 1:
        usual = [profile for profile in usual if _distinct(table, profile.at) > 1] or usual[:1]
    differing = [
        profile
        for profile in texts
        if _distinct(table, profile.at) > 1
        and not _YES_OR_NO.issuperset(cell.lower() for cell in profile.cells)
    ]
    candidates = _without_synonyms(table, usual or differing)
    if len(candidates) == 1:
        columns.series = [candidates[0].at]
        columns.series_is_guessed = not usual
        return
    names = quoted_list([profile.name for profile in candidates])
    if usual and len(candidates) > 1:
        raise CsvError(
            f"{table.name}: columns {names} may name the series; say which with --series-column, once for each column"
            " that does"
        )
    if len(candidates) > 1 and not are_values_given:
        raise CsvError(
            f"{table.name}: columns {names} hold text; say which one names the series with --series-column, or which"
            " columns hold values with --value-column"
        )


def _may_name(table: CsvTable, profile: Profile) -> bool:
    """Whether the numbers of a column may name series: they are whole, and most of them repeat."""
    if not all(re.fullmatch(r"[0-9]+(e[0-9]+)?", cell, re.IGNORECASE) for cell in profile.cells):
        return False
    count = len(table)
    return _distinct(table, profile.at) <= max(1, count // 2)


def _without_synonyms(table: CsvTable, candidates: list[Profile]) -> list[Profile]:
    """Drop columns that distinguish the same rows as an earlier one, such as a station's number and its name."""
    kept: list[Profile] = []
    for profile in candidates:
        if not any(_are_synonyms(table, other.at, profile.at) for other in kept):
            kept.append(profile)
    return kept


def _are_synonyms(table: CsvTable, first: int, second: int) -> bool:
    """Whether two columns distinguish the same rows."""
    count = _distinct(table, first)
    if count != _distinct(table, second):
        return False
    both = pc.binary_join_element_wise(table.columns[first], table.columns[second], "\0")
    return bool(pc.count_distinct(both).as_py() == count)


def _distinct(table: CsvTable, at: int) -> int:
    """How many different texts a column has."""
    return int(pc.count_distinct(table.columns[at]).as_py())
