"""Proposes where time, values and labels are in JSON objects that follow no known format."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from fncast.recognition.labels import MIN_SHARE, FlatObject, is_id, labels_of, last_part
from interceptor.delivery import Record
from interceptor.readings import lenient_json
from interceptor.readings.numbers import number_in_text
from interceptor.readings.times import time_ns, unit_of

# Debezium with and without schema, Kafka Connect.
ENVELOPES = (("payload", "after"), ("after",), ("payload",))
MAX_DEPTH = 4  # of nested objects below the root
MAX_MEMBERS = 200  # more members are ignored
MAX_ROWS = 2000
EARLIEST_NS = 946_684_800 * 10**9  # 2000-01-01: a smaller number is a counter or a duration
LATEST_NS = 4_102_444_800 * 10**9  # 2100-01-01
NEAR_NS = 86_400 * 10**9  # a number this close to the record's timestamp is a time, whatever its name

_decoder = msgspec.json.Decoder()
_TIME_NAME = re.compile(
    r"(?i)(.*[_@.-])?(ts|t|time|timestamp|date|datetime|when|epoch|(ts|time|epoch)_?(s|ms|us|ns|millis|sec|seconds))"
)
_TIME_ENDING = re.compile(r".*(Time|Timestamp|Date|At|TS|_at|_ts)")
_NUMBER_IN_TEXT = re.compile(r"(?i)(.*[_.-])?(value|val|reading)")


@dataclass(frozen=True)
class ProposedMapping:
    """The proposed settings [inputs.json]. left_out: members that become neither value nor label, with the reason."""

    root: str = ""
    time: str = ""
    time_unit: str = ""
    values: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)

    def options(self) -> dict[str, Any]:
        """The options of the format `json`, without those that have their default."""
        found: dict[str, Any] = {
            "root": self.root,
            "time": self.time,
            "time_unit": self.time_unit,
            "values": list(self.values),
            "labels": list(self.labels),
        }
        return {name: value for name, value in found.items() if value}


def propose_mapping(records: Sequence[Record]) -> ProposedMapping | None:
    """The mapping of the objects in the records. None if they are not JSON objects, or hold no number to forecast."""
    objects = [(found, record) for record in records for found in _objects(record)][:MAX_ROWS]
    if not objects or len({id(record) for _, record in objects}) < len(records) / 2:
        return None
    root = _root_of([found for found, _ in objects])
    rows = []
    for found, record in objects:
        below = _at(found, root)
        if isinstance(below, dict):
            rows.append(FlatObject(_leaves(below), record))
    members = list(dict.fromkeys(name for row in rows for name in row.leaves))[:MAX_MEMBERS]
    time = _time_of(members, rows)
    others = [name for name in members if name != time]
    numbers = [
        name
        for name in others
        if _share(rows, name, _is_number) >= 0.5
        or (_NUMBER_IN_TEXT.fullmatch(last_part(name)) and _share(rows, name, _is_number_in_text) >= 0.5)
    ]
    texts = [name for name in others if name not in numbers and _share(rows, name, _is_text) >= 0.5]
    left_out = {name: "a time" for name in [*numbers, *texts] if _is_time(name, rows)}
    ids = [name for name in numbers if is_id(name)]
    values = [name for name in numbers if name not in ids and name not in left_out]
    if not values:
        return None
    candidates = [name for name in members if (name in texts or name in ids) and name not in left_out]
    labels = labels_of(candidates, rows)
    left_out |= {name: "it changes while the series continues" for name in candidates if name not in labels}
    return ProposedMapping(".".join(root), time, _unit_of(time, rows), tuple(values), tuple(labels), left_out)


def _objects(record: Record) -> list[dict[str, Any]]:
    if record.value is None:
        return []
    try:
        found = lenient_json.decode(_decoder, record.value)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return []
    rows = found if isinstance(found, list) else [found]
    return [row for row in rows if isinstance(row, dict)]


def _root_of(objects: Sequence[dict[str, Any]]) -> tuple[str, ...]:
    """The path to the data in the envelope of Debezium or Kafka Connect. Empty if the objects have no envelope."""
    for envelope in ENVELOPES:
        is_envelope = [
            isinstance(_at(found, envelope), dict) and _has_envelope_members(found, envelope)
            for found in objects
        ]
        if sum(is_envelope) > len(objects) / 2:
            return envelope
    return ()


def _has_envelope_members(found: dict[str, Any], envelope: tuple[str, ...]) -> bool:
    """Whether the object has the other members that such an envelope always has."""
    if envelope == ("payload",):
        return "schema" in found
    around = found["payload"] if envelope[0] == "payload" else found
    return "op" in around


def _at(found: Any, path: Sequence[str]) -> Any:
    """The value at a path of member names. None if there is none."""
    for part in path:
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _leaves(found: dict[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """Numbers, texts and booleans by dotted path. A name with a dot is left out: no setting can address it."""
    leaves: dict[str, Any] = {}
    for name, value in found.items():
        if not name or "." in name or len(leaves) >= MAX_MEMBERS:
            continue
        if isinstance(value, dict):
            if depth < MAX_DEPTH:
                leaves.update(_leaves(value, f"{prefix}{name}.", depth + 1))
        elif value is not None and not isinstance(value, list):
            leaves[prefix + name] = value
    return leaves


def _share(rows: Sequence[FlatObject], name: str, is_kind: Callable[[Any], bool]) -> float:
    """Of the rows that have the member, the share whose value `is_kind` accepts: 0 to 1."""
    found = [row.leaves[name] for row in rows if name in row.leaves]
    return sum(map(is_kind, found)) / len(found) if found else 0.0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_number_in_text(value: Any) -> bool:
    return isinstance(value, str) and isinstance(number_in_text(value), float)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _time_of(members: Sequence[str], rows: Sequence[FlatObject]) -> str:
    """The member with the time of the reading. Empty if there is none: then the record's timestamp is used."""
    usable = [name for name in members if _is_time(name, rows)]
    by_rank = sorted(usable, key=lambda name: (not _is_time_name(name), name.count("."), members.index(name)))
    return by_rank[0] if by_rank else ""


def _is_time_name(name: str) -> bool:
    last = last_part(name)
    return bool(_TIME_NAME.fullmatch(last) or _TIME_ENDING.fullmatch(last))


def _is_time(name: str, rows: Sequence[FlatObject]) -> bool:
    """Whether the member is a time in most rows: by its text, or by its size and its name or the record's time."""
    is_named = _is_time_name(name)
    count = 0
    for row in rows:
        raw = row.leaves.get(name)
        at_ns = time_ns(raw)
        if at_ns is None or not EARLIEST_NS <= at_ns < LATEST_NS:
            continue
        is_written = isinstance(raw, str) and not raw.isdecimal()
        is_near = abs(at_ns - row.record.timestamp_ms * 1_000_000) <= NEAR_NS
        count += is_written or is_named or is_near
    return bool(rows) and count >= MIN_SHARE * len(rows)


def _unit_of(time: str, rows: Sequence[FlatObject]) -> str:
    """The unit of numbers in the member with the time. Empty for texts, and for numbers of several units."""
    numbers = [row.leaves[time] for row in rows if _is_number(row.leaves.get(time))]
    units = {unit_of(number) for number in numbers}
    return units.pop() if len(units) == 1 and len(numbers) >= MIN_SHARE * len(rows) else ""
