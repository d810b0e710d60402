"""Reads settings from a file and the environment, as nested tables."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
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
    sections = {field.name: field.type for field in msgspec.structs.fields(root)}
    table: dict[str, Any] = {}
    names: dict[str, str] = {}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or "__" not in variable:
            continue
        path, value = _setting(variable, environ[variable], sections)
        names[".".join(path)] = variable
        inner = table
        for depth, name in enumerate(path[:-1], 1):
            inner = inner.setdefault(name, {})
            if not isinstance(inner, dict):
                shorter = names[".".join(path[:depth])]
                raise SettingsError(
                    f"environment variable {variable}: {shorter} is set too; keep one of them"
                )
        inner[path[-1]] = value
    return Variables(table, names)


def _setting(variable: str, value: str, sections: Mapping[str, Any]) -> tuple[list[str], Any]:
    """The path of the setting that a variable sets, section first, and its value. Raises SettingsError."""
    section, *path = variable.removeprefix(PREFIX).lower().split("__")
    _check_section(variable, section, path, sections)
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
        return [section, "client", "__".join(path[1:]).replace("_", ".")], value
    if len(path) == 1:
        return [section, *path], _typed(variable, value, fields.get(path[0]))
    if section == "routes" and path[-1] == "batch":
        return [section, *path], _typed(variable, value, bool)
    return [section, *path], value


def _check_section(variable: str, section: str, path: list[str], sections: Mapping[str, Any]) -> None:
    """Raise SettingsError if a variable names no section, or one that works only in the file."""
    if section in TABLES:
        hint = f"; {PREFIX}KAFKA__INPUT_TOPICS names topics" if section == "inputs" else ""
        raise SettingsError(f"environment variable {variable}: [[{section}]] works only in the file{hint}")
    if section not in sections or not path or not all(path):
        known = ", ".join(f"{PREFIX}{name.upper()}__…" for name in sections if name not in TABLES)
        raise SettingsError(f"environment variable {variable}: no such setting; sections are {known}")


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
