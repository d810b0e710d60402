"""JSON objects of any shape: settings name the members with time, values and labels.

`root` is the path through an envelope, for example `payload.after` for Debezium or `payload` for Kafka Connect.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from fncast.wording.json import describe
from interceptor.outcome import Headers
from interceptor.readings import lenient_json
from interceptor.readings.contract import MAX_READINGS, MAX_SHARED, Decoded, Series, Skip, UndecodableRecord
from interceptor.readings.naming import NameTemplate, labels_text
from interceptor.readings.numbers import number_in_text
from interceptor.readings.times import record_time_ns, time_ns

DEFAULT_NAME = "{field} {labels}"
MAX_DEPTH = 16  # of a path

_decoder = msgspec.json.Decoder()


class MappedJson:
    """A record is one object or a list of objects.

    Without `time`, the record's timestamp is used. Without `values`, each member of the object itself that is a number
    or a boolean is a value, except time and labels.
    """

    def __init__(
        self,
        series: str = DEFAULT_NAME,
        *,
        time: str = "",
        values: Sequence[str] = (),
        labels: Sequence[str] = (),
        root: str = "",
        time_unit: str = "auto",
    ) -> None:
        """series: template of the names. root: dotted path to the object or list. time, values, labels: dotted paths
        below `root`. time_unit: s, ms, us, ns, or auto, which guesses.

        Raises ValueError for an invalid template or path.
        """
        self._template = NameTemplate(series, ("field", "labels"))
        self._time, self._root, self._time_unit = _path(time), _path(root), time_unit
        self._values = [(name, _path(name)) for name in values]
        self._labels = [(name, _path(name)) for name in labels]
        self._not_values = {time, *labels}

    def decode(self, value: bytes, key: bytes | None, headers: Headers, timestamp_ms: int) -> Decoded:
        try:
            document = lenient_json.decode(_decoder, value)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise UndecodableRecord(f"not JSON: {describe(error)}") from None
        decoded = Decoded()
        found = _at(document, self._root)
        if found is None and _has(document, self._root):
            decoded.skip(Skip.NOT_A_NUMBER)  # a deletion, for example in Debezium's envelope
            return decoded
        rows = found if isinstance(found, list) else [found]
        if rows and not any(isinstance(row, dict) for row in rows):
            at = f" at {'.'.join(self._root)}" if self._root else ""
            raise UndecodableRecord(f"no JSON object{at}")
        for row in rows:
            if isinstance(row, dict):
                self._add(decoded, row, timestamp_ms)
            else:
                decoded.skip(Skip.UNSUPPORTED)
        if not decoded.keys and not decoded.skipped and rows:
            wanted = ", ".join(name for name, _ in self._values) or "a number"
            raise UndecodableRecord(f"the object has no value: looked for {wanted}")
        return decoded

    def _add(self, decoded: Decoded, row: dict[str, Any], timestamp_ms: int) -> None:
        labels = tuple((name, _text(_at(row, path))) for name, path in self._labels)
        fields = self._fields(row)
        if len(decoded.keys) + len(fields) > MAX_READINGS:
            raise UndecodableRecord(f"the record holds more than {MAX_READINGS} readings")
        if self._time:
            at_ns = time_ns(_at(row, self._time), self._time_unit)
        else:
            at_ns = record_time_ns(timestamp_ms)
        if at_ns is None:
            decoded.skip(Skip.NO_TIME, len(fields))
            return
        if sum([len(text) for _, text in labels]) > MAX_SHARED:
            decoded.skip(Skip.NO_SERIES, len(fields))
            return
        for field, raw in fields:
            found = number_in_text(raw)
            if isinstance(found, Skip):
                decoded.skip(found)
            else:
                decoded.add((field, labels), at_ns, found)

    def _fields(self, row: dict[str, Any]) -> list[tuple[str, Any]]:
        if not self._values:
            return [
                (name, raw)
                for name, raw in row.items()
                if isinstance(raw, int | float) and name not in self._not_values
            ]
        found = [(name, _at(row, path)) for name, path in self._values]
        return [(name, raw) for name, raw in found if raw is not None]

    def series(self, key: Any) -> Series | None:
        field, pairs = key
        labels = {name: text for name, text in pairs if text}
        full = self._template.name({"field": field, "labels": labels_text(labels)}, labels)
        return None if full is None else Series(full, labels)


def _path(dotted: str) -> tuple[str, ...]:
    """Split a dotted path. Raises ValueError if it is too deep or has an empty part."""
    parts = tuple(dotted.split(".")) if dotted else ()
    if len(parts) > MAX_DEPTH or "" in parts:
        raise ValueError(f"{dotted!r} is not a valid path: write for example payload.after")
    return parts


def _at(found: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _has(document: Any, path: tuple[str, ...]) -> bool:
    """Whether the object that holds the path's last member has it. False for an empty path."""
    holder = _at(document, path[:-1])
    return bool(path) and isinstance(holder, dict) and path[-1] in holder


def _text(raw: object) -> str:
    if isinstance(raw, str):
        return raw
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return str(raw) if isinstance(raw, int | float) else ""
