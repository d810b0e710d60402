"""Which members of JSON objects identify the series: they become its labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from interceptor.delivery import Record

MIN_SHARE = 0.8  # share of the rows that must have a member, so that it can be the time or a label
MAX_LABEL_CHARACTERS = 200
MIN_ROWS = 8  # fewer rows do not show whether a member is a row number
# A number with such a name identifies a thing and is not a measured value.
_ID_NAME = re.compile(r"(?i)(.*[_.-])?(id|uuid|guid|serial|imei|mac|port|zip|version)|.*(Id|ID)")
_IDENTITY = re.compile(
    r"(?i)(.*[_.-])?(device|sensor|host|hostname|machine|station|meter|node|asset|tag|point|site|room|name|metric|"
    r"measurement|parameter|signal|channel|series|location|instance|vehicle|tenant|topic)(_?(id|name))?"
)
# A member with such a name differs in each record, or changes within a series: it is not a label.
_NOT_IDENTITY = re.compile(
    r"(?i)(.*[_.-])?((message|msg|event|trace|span|request|correlation|batch|record)_?id|uuid|guid|status|state|quality|"
    r"message|msg|level|severity|error|description|comment|checksum|hash)"
)


@dataclass
class FlatObject:
    """The leaves of one object by dotted path, and the record that holds it."""

    leaves: dict[str, Any]
    record: Record


def labels_of(candidates: Sequence[str], rows: Sequence[FlatObject]) -> list[str]:
    """The members that identify the series: those that name a thing, and those that are constant for each thing."""
    present = [
        name
        for name in candidates
        if sum(name in row.leaves for row in rows) >= MIN_SHARE * len(rows)
        and not _NOT_IDENTITY.fullmatch(last_part(name))
        and all(len(str(row.leaves.get(name, ""))) <= MAX_LABEL_CHARACTERS for row in rows)
    ]
    named = [name for name in present if is_id(name) or _is_key(name, rows)]
    identities = [name for name in named if not _is_row_number(name, rows)]
    if identities:
        present = [name for name in present if name in identities or name not in named]
    else:
        identities = named
    if not identities:  # no name says what identifies the series, so take the texts that repeat
        return [name for name in present if len({row.leaves.get(name) for row in rows}) <= len(rows) / 2]
    return [name for name in present if name in identities or _is_constant(name, identities, rows)]


def is_id(name: str) -> bool:
    """Whether the name says that the member identifies something."""
    last = last_part(name)
    return bool(_ID_NAME.fullmatch(last) or _IDENTITY.fullmatch(last))


def last_part(name: str) -> str:
    """Return the last name of a dotted path."""
    return name.rpartition(".")[2]


def _is_key(name: str, rows: Sequence[FlatObject]) -> bool:
    """Whether the member equals the record's key."""
    equal = sum(
        row.record.key is not None and str(row.leaves.get(name)).encode("utf-8", "replace") == row.record.key
        for row in rows
    )
    return equal >= MIN_SHARE * len(rows)


def _is_constant(name: str, identities: Sequence[str], rows: Sequence[FlatObject]) -> bool:
    """Whether the member has one text for each thing that the identities name."""
    constants: dict[tuple[Any, ...], Any] = {}
    for row in rows:
        identified = tuple(row.leaves.get(identity) for identity in identities)
        if constants.setdefault(identified, row.leaves.get(name)) != row.leaves.get(name):
            return False
    return True


def _is_row_number(name: str, rows: Sequence[FlatObject]) -> bool:
    """Whether the member grows from record to record, such as the primary key of a table that only gets new rows."""
    if _IDENTITY.fullmatch(last_part(name)) or len(rows) < MIN_ROWS:
        return False
    last: dict[int, int] = {}
    for row in rows:
        number, partition = row.leaves.get(name), row.record.partition
        if not isinstance(number, int) or number <= last.get(partition, number - 1):
            return False
        last[partition] = number
    return True
