"""Rewrites msgspec's messages about wrong settings: in plain words, with the file's line, the variable or the flag."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

_PATH = re.compile(r" - at `(?:key in )?\$(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>[^`]+)`")
_EXPECTED = re.compile(r"^Expected `(?P<wanted>[\w |]+)`(?P<bound>[^,]*)(?:, got `(?P<given>\w+)`)?")
_MISSING = re.compile(r"^Object missing required field `(\w+)`")
_NOT_ALLOWED = re.compile(r"^Invalid enum value ('.*')")
_KINDS = {
    "bool": "true or false",
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "array": "an array",
    "object": "a table",
    "null": "nothing",
}


def route_message(message: str, name: str) -> str:
    """msgspec's message about one route, with the route's name added to its JSON path."""
    place = f" - at `$.routes.{name}"
    return message.replace(" - at `$", place) if _PATH.search(message) else f"{message}{place}`"


def message_with_place(
    message: str, file: str, text: str, sources: Mapping[str, str], choices: Mapping[str, Sequence[str]]
) -> str:
    """msgspec's message with the source of the value in place of the JSON path.

    text: of the file. sources: by dotted path, the variable or flag that set the value; others are from the file.
    choices: by name the allowed values of settings that have a fixed set.
    """
    found = _PATH.search(message)
    path = found["path"].removeprefix(".").replace("[...]", "") if found else ""
    reason = message[: found.start()] if found else message
    unknown = _UNKNOWN.match(reason)
    if unknown:
        path = f"{path}.{unknown['name']}".removeprefix(".")
        reason = "no such setting"
    else:  # the messages of our checks begin with the setting's name
        name = re.match(r"([\w.\[\]-]+):? ", reason)
        named = f"{path}.{name[1]}".removeprefix(".") if name else ""
        known = {*sources, *_lines(text)}
        path = next((place for place in (named, f"{named}.url") if place in known), path)
        reason = _MISSING.sub(r"\1 is missing", reason)
        if _NOT_ALLOWED.match(reason):
            allowed = choices.get(path.rpartition(".")[2], ())
            reason = _NOT_ALLOWED.sub(r"\1 is not allowed", reason)
            reason += f"; use {' or '.join(map(repr, allowed))}" if allowed else ""
        reason = _EXPECTED.sub(_needed, reason)
    if source := _source(path, reason, text, sources):
        return f"{source}: {reason}"
    reason = reason.removeprefix(f"{path}: ")
    line = _line(text, path)
    place = f"{file}, line {line}: " if line else "settings: "
    return f"{place}[{path}] {reason}" if path else f"{place}{reason}"


def _source(path: str, reason: str, text: str, sources: Mapping[str, str]) -> str:
    """The variable or flag that set the value at a path, or that made the value a table; empty for the file."""
    if path in sources or "." not in path:
        return sources.get(path, "")
    if path in _lines(text) and not reason.endswith("not a table"):
        return ""
    below = (name for name in sources if name.startswith(f"{path}."))
    return sources.get(next(below, ""), "")


def _needed(found: re.Match[str]) -> str:
    """msgspec's "Expected `bool`, got `str`" as "must be true or false, not a string"."""
    wanted = " or ".join(_KINDS.get(kind, kind) for kind in found["wanted"].split(" | "))
    given = f", not {_KINDS.get(found['given'], found['given'])}" if found["given"] else ""
    return f"must be {wanted}{found['bound']}{given}"


def _line(text: str, path: str) -> int | None:
    """The line of a path. For a name in an inline table, the line of the table."""
    lines = _lines(text)
    while path and path not in lines:
        path = path.rpartition(".")[0]
    return lines.get(path)


def _lines(text: str) -> dict[str, int]:
    """The line of each dotted path in a TOML text; tomllib does not report lines."""
    lines: dict[str, int] = {}
    section = ""
    counts: Counter[str] = Counter()
    for number, line in enumerate(text.splitlines(), 1):
        if entry := re.match(r"\s*\[\[([^\[\]]+)\]\]", line):  # one of a list of tables
            name = entry[1].strip().replace('"', "")
            section = f"{name}[{counts[name]}]."
            counts[name] += 1
            lines.setdefault(name, number)
            lines[section[:-1]] = number
        elif header := re.match(r"\s*\[([^\[\]]+)\]", line):
            name = header[1].strip().replace('"', "")
            root, dot, rest = name.partition(".")
            if dot and counts[root]:  # a table in the last entry of a list of tables
                name = f"{root}[{counts[root] - 1}].{rest}"
            section = f"{name}."
            lines[name] = number
        elif key := re.match(r"""\s*([\w."'-]+)\s*=""", line):
            lines[section + re.sub(r"[\"']", "", key[1])] = number
    return lines
