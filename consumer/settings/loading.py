"""Loads the settings: from a TOML file, the environment and flags, in this order."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from consumer.settings.functions import DEFAULT_ROUTES, RouteSettings
from consumer.settings.inputs import JsonMapping
from consumer.settings.kafka import KafkaSettings
from consumer.settings.messages import message_with_place, route_message
from consumer.settings.settings import Settings
from consumer.settings.source import TABLES, SettingsError, from_environment, from_file, merge
from consumer.settings.values import TOPIC_NAME
from consumer.settings.windows import WindowSettings

# By name, the allowed values of settings that have a fixed set.
CHOICES = {
    field.name: get_args(field.type)
    for section in (KafkaSettings, RouteSettings, WindowSettings, JsonMapping)
    for field in msgspec.structs.fields(section)
    if get_origin(field.type) is Literal
}


def load(
    path: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Read `path` (default: fncast.toml if it exists), then the environment, then flags. A later source wins.

    overrides: by section, the settings that flags set. A flag has the name of its setting.
    Raises SettingsError with the file and line, the variable or the flag of an unknown name or a wrong value.
    """
    default = Path("fncast.toml")
    file = path if path is not None else default if default.is_file() else None
    try:
        text = file.read_text("utf-8") if file else ""
        table = from_file(text)
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file}: not valid TOML: {error}") from None
    for name in Settings.__struct_fields__:
        if name not in TABLES and name in table and not isinstance(table[name], Mapping):
            # A variable or flag would replace it.
            raise SettingsError(f"{file}: [{name}] must be a table of settings, not a value")
    variables = from_environment(environ, Settings)
    merged = merge(merge({"routes": DEFAULT_ROUTES} | table, variables.table), overrides or {})
    merged["kafka"] = _with_inputs(merged.get("kafka", {}), merged.get("inputs"))
    try:
        _check_routes(merged["routes"])
        return msgspec.convert(merged, Settings)
    except msgspec.ValidationError as error:
        sources = {path: f"environment variable {variable}" for path, variable in variables.names.items()}
        sources |= _flags(overrides or {})
        raise SettingsError(message_with_place(str(error), str(file), text, sources, CHOICES)) from None


def _flags(overrides: Mapping[str, Any]) -> dict[str, str]:
    """By dotted path of the setting, the flag that sets it."""
    return {
        f"{section}.{name}": f"--{name.replace('_', '-')}"
        for section, settings in overrides.items()
        for name in settings
    }


def _with_inputs(kafka: Mapping[str, Any], inputs: Any) -> Mapping[str, Any]:
    """[kafka] with the topics of [[inputs]] added to `input_topics`. Wrong values are reported later."""
    if not isinstance(inputs, list):
        return kafka
    topics = [entry.get("topic") for entry in inputs if isinstance(entry, Mapping)]
    named = dict.fromkeys(topic for topic in topics if isinstance(topic, str) and TOPIC_NAME.match(topic))
    listed = kafka.get("input_topics", [])
    if not named or not isinstance(listed, list | tuple):
        return kafka
    return {**kafka, "input_topics": [*listed, *(topic for topic in named if topic not in listed)]}


def _check_routes(routes: Mapping[str, Any]) -> None:
    """Raise msgspec.ValidationError that names the first wrong route."""
    for name, route in routes.items():
        try:
            msgspec.convert(route, str | RouteSettings)
        except msgspec.ValidationError as error:
            raise msgspec.ValidationError(route_message(str(error), name)) from None
