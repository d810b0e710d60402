"""Reads settings from a file and the environment, and finds the line or variable of a wrong setting."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_args, get_origin

import msgspec

TABLES = ("inputs", "alerts")  # arrays of tables
PREFIX = "FNCAST_"
KINDS = {int: "an integer", float: "a number", bool: "true or false"}

# Properties of librdkafka whose value is a file name.
FILE_PROPERTIES = frozenset(
    f"sasl_oauthbearer_assertion_{name}" for name in ("file", "private_key_file", "jwt_template_file")
)


class SettingsError(Exception):
    """A setting is unknown or wrong, or cannot be read. The text names the line or the variable."""


class Variables(NamedTuple):
    """Settings from the environment. table: nested. names: by dotted path the variable that set it."""

    table: dict[str, Any]
    names: dict[str, str]


def from_file(text: str) -> dict[str, Any]:
    """The table of a TOML text. Raises tomllib.TOMLDecodeError."""
    return tomllib.loads(text)


def from_environment(environ: Mapping[str, str], root: type[msgspec.Struct]) -> Variables:
    """Settings from `FNCAST_<SECTION>__<NAME>`; with `_FILE` behind it, the value is that file's text.

    A name without `__` is not a setting and is ignored: Kubernetes sets `FNCAST_SERVICE_HOST`, `FNCAST_PORT` and more
    similar variables in every pod if a Service is called fncast.

    Values take the type that `root` declares: `FNCAST_KAFKA__INPUT_TOPICS=a,b` is a list.
    Raises SettingsError for an unknown section, a missing file, or a value of another type.
    """
    table: dict[str, Any] = {}
    names: dict[str, str] = {}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or "__" not in variable:
            continue
        section, *path = variable.removeprefix(PREFIX).lower().split("__")
        sections = {field.name: field.type for field in msgspec.structs.fields(root)}
        if section in TABLES:
            hint = f"; {PREFIX}KAFKA__INPUT_TOPICS names topics" if section == "inputs" else ""
            raise SettingsError(
                f"environment variable {variable}: [[{section}]] works only in the file{hint}"
            )
        if section not in sections or not path or not all(path):
            known = ", ".join(f"{PREFIX}{name.upper()}__…" for name in sections if name not in TABLES)
            raise SettingsError(f"environment variable {variable}: no such setting; sections are {known}")
        value = environ[variable]
        fields = _fields(sections[section])
        is_name = path[-1] in fields or path[-1] in FILE_PROPERTIES or "token_file" in path[1:]
        if path[-1].endswith("_file") and not is_name:
            path[-1] = path[-1].removesuffix("_file")
            value = _file_text(variable, value)
        is_client = section == "kafka" and path[0] == "client"
        is_whole_client = is_client and len(path) == 1
        is_whole_route = section == "routes" and len(path) == 1 and value.lstrip().startswith("{")
        if is_whole_client or is_whole_route:
            # Without the value: it may hold a secret.
            example = f"{PREFIX}{section}__{path[0]}__…".upper()
            raise SettingsError(
                f"environment variable {variable}: tables work only in the file; here {example} sets each of its names"
            )
        if is_client:
            path = ["client", "__".join(path[1:]).replace("_", ".")]
        elif len(path) == 1:
            value = _typed(variable, value, fields.get(path[0]))
        elif section == "routes" and path[-1] == "batch":
            value = _typed(variable, value, bool)
        names[".".join([section, *path])] = variable
        place = table.setdefault(section, {})
        for name in path[:-1]:
            place = place.setdefault(name, {})
        place[path[-1]] = value
    return Variables(table, names)


def _fields(section: Any) -> dict[str, Any]:
    if isinstance(section, type) and issubclass(section, msgspec.Struct):
        return {field.name: field.type for field in msgspec.structs.fields(section)}
    return {}


def _file_text(variable: str, path: str) -> str:
    try:
        return Path(path).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"environment variable {variable}: cannot read {path!r}: {error}") from None


def _typed(variable: str, value: str, kind: Any) -> Any:
    if get_origin(kind) is tuple:
        return [part.strip() for part in value.split(",") if part.strip()]
    if type(None) in get_args(kind):
        kind = next(option for option in get_args(kind) if option is not type(None))
    if kind in (int, float, bool):
        try:
            return msgspec.convert(value, kind, strict=False)
        except msgspec.ValidationError:
            raise SettingsError(f"environment variable {variable}: {value!r} is not {KINDS[kind]}") from None
    return value


def flatten(properties: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """librdkafka's dotted names from nested tables: TOML reads `sasl.password = …` as a table in a table.

    Raises ValueError for a value of a wrong type, without showing it: it may be a password.
    """
    flat: dict[str, str] = {}
    for name, value in properties.items():
        if isinstance(value, Mapping):
            flat.update(flatten(value, f"{prefix}{name}."))
        elif isinstance(value, bool):
            flat[prefix + name] = str(value).lower()
        elif isinstance(value, str | int | float):
            flat[prefix + name] = str(value)
        else:
            raise ValueError(
                f"client.{prefix}{name} is a {type(value).__name__}, but must be a string, a number, true or false"
            )
    return flat


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the values of `over`. Tables are merged, other values replaced."""
    merged = dict(base)
    for name, value in over.items():
        below = merged.get(name)
        if isinstance(value, Mapping):
            merged[name] = merge(below if isinstance(below, Mapping) else {}, value)
        else:
            merged[name] = value
    return merged


def route_message(message: str, name: str) -> str:
    """msgspec's message about one route, with the route's name added to its JSON path."""
    place = f" - at `$.routes.{name}"
    return message.replace(" - at `$", place) if _PATH.search(message) else f"{message}{place}`"


_PATH = re.compile(r" - at `(?:key in )?\$(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>[^`]+)`")


_EXPECTED = re.compile(r"^Expected `(?P<wanted>[\w |]+)`(?P<bound>[^,]*)(?:, got `(?P<given>\w+)`)?")
_KINDS = {
    "bool": "true or false",
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "array": "an array",
    "object": "a table",
    "null": "nothing",
}


def message_with_place(
    message: str, file: str, text: str, variables: Mapping[str, str], choices: Mapping[str, Sequence[str]]
) -> str:
    """msgspec's message with the file's line, or the variable that set the value, in place of the JSON path.

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
        own = f"{path}.{name[1]}".removeprefix(".") if name else ""
        known = {*variables, *_lines(text)}
        path = next((place for place in (own, f"{own}.url") if place in known), path)
        if reason.startswith("Invalid enum value") and (allowed := choices.get(path.rpartition(".")[2])):
            reason += f"; use {' or '.join(map(repr, allowed))}"
        reason = _EXPECTED.sub(_needed, reason)
    if path in variables:
        return f"environment variable {variables[path]}: {reason}"
    reason = reason.removeprefix(f"{path}: ")
    line = _line(text, path)
    place = f"{file}, line {line}: " if line else "settings: "
    return f"{place}[{path}] {reason}" if path else f"{place}{reason}"


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
