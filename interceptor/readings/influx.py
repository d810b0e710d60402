"""InfluxDB's line protocol, Telegraf's default: one or more lines per record.

Source: InfluxData, "Line protocol": `measurement,tag=value field=1.5,count=3i 1458229140000000000`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from fncast.wording.json import describe
from interceptor.outcome import Headers
from interceptor.readings.contract import (
    MAX_LABELS,
    MAX_READINGS,
    MAX_SHARED,
    Decoded,
    Series,
    Skip,
    UndecodableRecord,
)
from interceptor.readings.naming import NameTemplate, labels_text
from interceptor.readings.numbers import number
from interceptor.readings.times import record_time_ns, time_ns

DEFAULT_NAME = "{name}.{field} {tags}"
_INTEGER = re.compile(r"[+-]?\d{1,20}[iu]", flags=re.ASCII)
_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", flags=re.ASCII)
_TIMESTAMP = re.compile(r"-?\d{1,20}", flags=re.ASCII)
_BOOLEANS = {
    **dict.fromkeys(("t", "T", "true", "True", "TRUE"), 1.0),
    **dict.fromkeys(("f", "F", "false", "False", "FALSE"), 0.0),
}


class FieldError(ValueError):
    """A field violates the protocol. The message says where."""


class InfluxLine:
    """The format `influx-line`: one or more lines per record."""

    def __init__(self, series: str = DEFAULT_NAME, time_unit: str = "ns") -> None:
        """series: template of the names. time_unit: of the timestamps, as the precision of the producer.

        Raises ValueError for an invalid template.
        """
        self._template = NameTemplate(series, ("name", "field", "tags"))
        self._time_unit = time_unit

    def decode(self, value: bytes, key: bytes | None, headers: Headers, timestamp_ms: int) -> Decoded:
        try:
            text = value.decode()
        except UnicodeDecodeError as error:
            raise UndecodableRecord(f"not line protocol: {describe(error)}") from None
        decoded = Decoded()
        problem = ""
        for count, (line_number, line) in enumerate(_lines(text), 1):
            if count > MAX_READINGS:
                raise UndecodableRecord(f"the record holds more than {MAX_READINGS} lines")
            found = self._add(decoded, line, timestamp_ms)
            problem = problem or (found and f"line {line_number}: {found}")
        if problem and not decoded.keys and decoded.skipped.keys() == {Skip.UNSUPPORTED}:
            raise UndecodableRecord(f"not line protocol: {problem}")
        return decoded

    def _add(self, decoded: Decoded, line: str, timestamp_ms: int) -> str:
        """Add the readings of a line. Returns the first violation of the protocol, or an empty string.

        A bad field is skipped and does not affect the other fields.
        """
        identity, rest = _split_once(line, " ")
        fields_text, time_text = _split_once(rest.lstrip(" "), " ", quotes=True)
        if not identity or identity.startswith(",") or not fields_text:
            decoded.skip(Skip.UNSUPPORTED)
            return "it needs a measurement, a space and at least one field"
        texts = _split_all(fields_text, ",", quotes=True)
        time_text = time_text.strip(" ")
        if not time_text:
            at_ns = record_time_ns(timestamp_ms)
        elif _TIMESTAMP.fullmatch(time_text):
            at_ns = time_ns(int(time_text), self._time_unit)
        else:
            decoded.skip(Skip.UNSUPPORTED, len(texts))
            return f"the timestamp {time_text[:40]!r} is not an integer"
        if at_ns is None:
            decoded.skip(Skip.NO_TIME, len(texts))
            return ""
        if len(identity) > MAX_SHARED:
            decoded.skip(Skip.NO_SERIES, len(texts))
            return ""
        if len(decoded.keys) + len(texts) > MAX_READINGS:
            raise UndecodableRecord(f"the record holds more than {MAX_READINGS} readings")
        problem = ""
        for text in texts:
            try:
                name, value = _field(text)
            except FieldError as error:
                problem = problem or str(error)
                value = Skip.UNSUPPORTED
            if isinstance(value, Skip):
                decoded.skip(value)
            else:
                decoded.add((identity, name), at_ns, value)
        return problem

    def series(self, key: Any) -> Series | None:
        identity, field = key
        found = _name_and_labels(identity)
        if found is None:
            return None
        name, labels, text = found
        full = self._template.name({"name": name, "field": _unescape(field), "tags": text}, labels)
        return None if full is None else Series(full, labels)


@lru_cache(64)  # the fields of a line share its measurement and tags
def _name_and_labels(identity: str) -> tuple[str, dict[str, str], str] | None:
    """Return the measurement, and its tags as labels and as text. None if the tags are too many."""
    name, *tags = _split_all(identity, ",")
    if len(tags) > MAX_LABELS:
        return None
    labels = {}
    for tag in tags:
        label, text = _split_once(tag, "=")
        labels[_unescape(label)] = _unescape(text)
    return _unescape(name), labels, labels_text(labels)


def _field(text: str) -> tuple[str, float | Skip]:
    """Return the name, and the number or why there is none. Raises FieldError for an invalid field."""
    name, raw = _split_once(text, "=")
    if not name or not raw:
        raise FieldError(f"the field {text[:40]!r} needs the form name=value")
    return name, _value(raw)


def _value(raw: str) -> float | Skip:
    if raw[0] == '"':
        if len(raw) < 2 or raw[-1] != '"':
            raise FieldError("a string has no closing quote")
        return Skip.TEXT
    if _FLOAT.fullmatch(raw):
        return number(float(raw))
    if _INTEGER.fullmatch(raw):
        return float(int(raw[:-1]))
    if raw in _BOOLEANS:
        return _BOOLEANS[raw]
    if raw.lower() in ("nan", "inf", "+inf", "-inf"):
        return Skip.NOT_A_NUMBER
    raise FieldError(f"{raw[:40]!r} is not a value")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield each line and its number, from 1, without comments and empty lines.

    A quoted string may contain a line break. The line then has the number of its beginning.
    """
    begin, parts, is_quoted = 1, list[str](), False
    if '"' not in text:
        for begin, part in enumerate(text.split("\n"), 1):
            line = part.strip(" \r")
            if line and not line.startswith("#"):
                yield begin, line
        return
    for count, part in enumerate(text.split("\n"), 1):
        if not is_quoted:
            begin, parts = count, []
            if part.lstrip(" \r").startswith("#"):
                continue
        parts.append(part)
        is_quoted = _is_quoted_after(part, is_quoted)
        if not is_quoted and (line := "\n".join(parts).strip(" \r")):
            yield begin, line
    if is_quoted:
        yield begin, "\n".join(parts).strip(" \r")


def _is_quoted_after(part: str, is_quoted: bool) -> bool:
    """Whether a string is open at the end of a part of a line. is_quoted: whether one is open at its beginning.

    A string begins after an equals sign. Elsewhere, for example in a tag, a quote is an ordinary character.
    """
    if '"' not in part:
        return is_quoted
    is_escaped, before = False, ""
    for character in part:
        if is_escaped:
            is_escaped = False
        elif character == "\\":
            is_escaped = True
        elif character == '"' and (is_quoted or before == "="):
            is_quoted = not is_quoted
        before = character
    return is_quoted


def _split_once(text: str, separator: str, quotes: bool = False) -> tuple[str, str]:
    """Split at the first separator that is not escaped. With `quotes`, skip separators in quoted strings."""
    if "\\" not in text and not (quotes and '"' in text):
        before, _, after = text.partition(separator)
        return before, after
    at = next(_positions(text, separator, quotes), len(text))
    return text[:at], text[at + 1 :]


def _split_all(text: str, separator: str, quotes: bool = False) -> list[str]:
    if "\\" not in text and not (quotes and '"' in text):
        return text.split(separator)
    parts, begin = [], 0
    for at in _positions(text, separator, quotes):
        parts.append(text[begin:at])
        begin = at + 1
    return [*parts, text[begin:]]


def _positions(text: str, separator: str, quotes: bool) -> Iterator[int]:
    """Yield the positions of separators that are not escaped and, with `quotes`, not in quoted strings.

    Strings begin as in `_is_quoted_after`.
    """
    is_escaped = is_quoted = False
    before = ""
    for at, character in enumerate(text):
        if is_escaped:
            is_escaped = False
        elif character == "\\":
            is_escaped = True
        elif quotes and character == '"' and (is_quoted or before == "="):
            is_quoted = not is_quoted
        elif character == separator and not is_quoted:
            yield at
        before = character


def _unescape(text: str) -> str:
    return re.sub(r"\\([,= \\])", r"\1", text) if "\\" in text else text
