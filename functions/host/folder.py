"""Reads a function's folder and its func.yaml (schema 20180708)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from functions.host.config import InvalidConfig, check_config
from functions.host.names import is_name

# Defaults and limits of Fn.
TIMEOUT_S = 30
MAX_TIMEOUT_S = 300
IDLE_TIMEOUT_S = 30
MAX_IDLE_TIMEOUT_S = 3600
MEMORY_MB = 128


class InvalidFunction(ValueError):
    """A folder is not a valid function. The text names the file and what to change."""


@dataclass(frozen=True)
class FunctionFolder:
    """A function as its func.yaml describes it.

    config: from func.yaml. expected, required: names of configuration that may or must be set elsewhere.
    sources: paths of the HTTP triggers with a leading slash, by trigger name.
    """

    path: Path
    name: str
    timeout_s: float = TIMEOUT_S
    memory_mb: int = MEMORY_MB
    idle_timeout_s: int = IDLE_TIMEOUT_S
    config: Mapping[str, str] = field(default_factory=dict)
    expected: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    sources: Mapping[str, str] = field(default_factory=dict)

    @property
    def func(self) -> Path:
        """The module that the FDK loads; its entry point is `handler`."""
        return self.path / "func.py"


def read_folder(path: Path) -> FunctionFolder:
    """The function in a folder. Raises InvalidFunction."""
    if not path.is_dir():
        raise InvalidFunction(f"{path} is not a folder")
    for name in ("func.yaml", "func.py"):
        if not (path / name).is_file():
            raise InvalidFunction(f"{path} has no {name}, so it is not an Fn function in Python")
    file = path / "func.yaml"
    try:
        text = file.read_text(encoding="utf-8")
        document = yaml.safe_load(text)
        if not isinstance(document, dict):
            raise InvalidFunction(f"{file} is not a mapping of names to values")
        return _folder(path.resolve(), document, yaml.load(text, yaml.BaseLoader))
    except yaml.YAMLError as error:
        raise InvalidFunction(f"{file} is not valid YAML: {' '.join(str(error).split())}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidFunction(f"{file} cannot be read: {error}") from None
    except _InvalidValue as error:
        raise InvalidFunction(f"{file}: {error}") from None


def configure(folder: FunctionFolder, environ: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """The function's configuration: `given` wins over the environment, which wins over func.yaml.

    Of the environment only the names in func.yaml count. Raises InvalidFunction for a required name without a value,
    and for names and values that cannot be environment variables.
    """
    known = {name: environ[name] for name in {*folder.config, *folder.expected} if name in environ}
    config = {**folder.config, **known, **given}
    missing = sorted(name for name in folder.required if not config.get(name))
    if missing:
        raise InvalidFunction(
            f"the function {folder.name} needs {' and '.join(missing)}: "
            f"set it in the environment or with --config {missing[0]}=…"
        )
    try:
        return check_config(config)
    except InvalidConfig as error:
        raise InvalidFunction(f"the function {folder.name}: {error}") from None


class _InvalidValue(ValueError):
    pass


def _folder(path: Path, document: Mapping[str, Any], texts: Mapping[str, Any]) -> FunctionFolder:
    """The function of a func.yaml. texts: the same document with every value as the text in the file."""
    name = document.get("name", path.name)
    if not isinstance(name, str) or not is_name(name):
        raise _InvalidValue(f"name must consist of letters, digits, `_` and `-`, not {name!r}")
    timeout_s = document.get("timeout", TIMEOUT_S)
    if not _is_number(timeout_s) or not 0 < timeout_s <= MAX_TIMEOUT_S:
        raise _InvalidValue(f"timeout must be a number of seconds up to {MAX_TIMEOUT_S}, not {timeout_s!r}")
    memory_mb = document.get("memory", MEMORY_MB)
    if type(memory_mb) is not int or memory_mb < 1:
        raise _InvalidValue(f"memory must be an integer (megabytes), not {memory_mb!r}")
    idle_timeout_s = document.get("idle_timeout", IDLE_TIMEOUT_S)
    if type(idle_timeout_s) is not int or not 0 < idle_timeout_s <= MAX_IDLE_TIMEOUT_S:
        raise _InvalidValue(
            f"idle_timeout must be an integer (seconds) up to {MAX_IDLE_TIMEOUT_S}, not {idle_timeout_s!r}"
        )
    expects = _expects(document)
    return FunctionFolder(
        path,
        name,
        timeout_s=float(timeout_s),
        memory_mb=memory_mb,
        idle_timeout_s=idle_timeout_s,
        config=_config(document, texts),
        expected=frozenset(expects),
        required=frozenset(expected for expected, is_required in expects.items() if is_required),
        sources=_sources(document),
    )


def _config(document: Mapping[str, Any], texts: Mapping[str, Any]) -> dict[str, str]:
    """The configuration with the texts of the file, as Fn reads it: `true` stays `true`, and `010` stays `010`."""
    config = document.get("config") or {}
    if not isinstance(config, dict):
        raise _InvalidValue("config must be a mapping of names to values")
    known, found = texts.get("config"), {}
    for name, value in config.items():
        # A key that is merged from elsewhere in the file has only a value.
        text = known.get(name, value) if isinstance(known, dict) else value
        if not isinstance(name, str) or value is None or isinstance(text, dict | list):
            raise _InvalidValue(
                f"config {name!r} must have a string as its name and a string or number as its value"
            )
        found[name] = str(text)
    return found


def _expects(document: Mapping[str, Any]) -> dict[str, bool]:
    """Names of the expected configuration, each with whether it is required."""
    expects = document.get("expects") or {}
    entries = expects.get("config") or [] if isinstance(expects, dict) else None
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("name"), str) for entry in entries
    ):
        raise _InvalidValue("expects.config must be a list of entries with a name")
    return {entry["name"]: bool(entry.get("required", False)) for entry in entries}


def _sources(document: Mapping[str, Any]) -> dict[str, str]:
    triggers = document.get("triggers") or []
    if not isinstance(triggers, list) or not all(isinstance(trigger, dict) for trigger in triggers):
        raise _InvalidValue("triggers must be a list")
    sources: dict[str, str] = {}
    for trigger in triggers:
        name, source = trigger.get("name"), trigger.get("source")
        if trigger.get("type", "http") != "http" or not isinstance(name, str) or not isinstance(source, str):
            raise _InvalidValue("a trigger must have a name, a source and the type http")
        if not is_name(name):
            raise _InvalidValue(
                f"a trigger's name must consist of letters, digits, `_` and `-`, not {name!r}"
            )
        sources[name] = "/" + source.strip("/")
    return sources


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
