"""The apps, functions and triggers of Fn's API. Kept in memory, because the folders are the source of truth."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from functions.host.config import InvalidConfig, check_config, check_not_reserved
from functions.host.folder import MAX_IDLE_TIMEOUT_S, MAX_TIMEOUT_S, InvalidFunction
from functions.host.names import MAX_NAME_CHARACTERS, is_name
from functions.host.pool import ProcessPool

# The limit of an Fn server in its default configuration.
MAX_MEMORY_MB = 8192
# Of each kind: apps, functions, triggers. Enough for scripts that set up an Fn server; bounds the memory.
MAX_ENTRIES = 1000


def _is_whole(value: object, most: int) -> bool:
    return type(value) is int and 0 < value <= most


# The fields that PUT can change, with the test of their values. Only the configuration has an effect.
_CHANGEABLE: dict[str, Callable[[object], bool]] = {
    "image": lambda value: (
        isinstance(value, str) and 0 < len(value) <= MAX_NAME_CHARACTERS and value.isprintable()
    ),
    "memory": lambda value: _is_whole(value, MAX_MEMORY_MB),
    "timeout": lambda value: _is_whole(value, MAX_TIMEOUT_S),
    "idle_timeout": lambda value: _is_whole(value, MAX_IDLE_TIMEOUT_S),
}


class Conflict(Exception):
    """The name or source is already used. The status is 409."""


class Missing(Exception):
    """No entry has this id. The status is 404."""


class InvalidChange(Exception):
    """Fn or this host does not allow the change. The status is 400."""


@dataclass(frozen=True)
class Entry:
    """An app, function or trigger. document: as Fn's API shows it, without the annotations, which have URLs."""

    document: dict[str, Any]
    pool: ProcessPool | None = field(default=None, compare=False)

    @property
    def id(self) -> str:
        """The id in Fn's API."""
        return str(self.document["id"])


class Registry:
    """Apps, functions and triggers by id. Ids are derived from names, so a restart keeps them."""

    def __init__(self, app: str, pools: Iterable[ProcessPool]) -> None:
        """Raises InvalidFunction if two folders share a name or a trigger source, or if Fn does not accept a name."""
        self.apps: dict[str, Entry] = {}
        self.functions: dict[str, Entry] = {}
        self.triggers: dict[str, Entry] = {}
        app_id = self.add_app(app).id
        for pool in pools:
            folder = pool.folder
            try:
                function_id = self._add_function(app_id, pool).id
                for name, source in folder.sources.items():
                    self.add_trigger(name, app_id, function_id, source)
            except (Conflict, InvalidChange) as error:
                raise InvalidFunction(f"{folder.path}: {error}") from None

    def add_app(self, name: str) -> Entry:
        """Add an app. Raises Conflict, InvalidChange."""
        _check_name("app", name)
        return _add(self.apps, {"id": _id("app", name), "name": name}, "App already exists")

    def add_trigger(self, name: str, app_id: str, function_id: str, source: str) -> Entry:
        """Add an HTTP trigger of a function. source: the path. Raises Missing, Conflict, InvalidChange."""
        if app_id not in self.apps:
            raise Missing("App not found")
        if function_id not in self.functions:
            raise Missing("Fn not found")
        _check_name("Trigger", name)
        source = "/" + source.strip("/")
        if len(source) > MAX_NAME_CHARACTERS or not source.isprintable():
            raise InvalidChange(f"Invalid Trigger source: at most {MAX_NAME_CHARACTERS} printable characters")
        if self.trigger(app_id, source) is not None:
            raise Conflict(f"Trigger with source {source} already exists on this app")
        document = {
            "id": _id("trigger", app_id, name),
            "name": name,
            "app_id": app_id,
            "fn_id": function_id,
            "type": "http",
            "source": source,
        }
        return _add(self.triggers, document, "Trigger already exists")

    def change_function(self, id_: str, changes: Mapping[str, Any]) -> Entry:
        """Record the changes and apply `config`. The function's code stays that of its folder.

        Raises Missing, InvalidChange.
        """
        entry = self.functions.get(id_)
        if entry is None or entry.pool is None:
            raise Missing("Fn not found")
        for name in ("name", "app_id"):
            if changes.get(name, entry.document[name]) != entry.document[name]:
                raise InvalidChange(f"Fn {name} cannot be changed")
        patch = changes.get("config")
        patch = {} if patch is None else patch  # Go reads null as absent
        if not isinstance(patch, dict):
            raise InvalidChange("Fn config must be an object of strings")
        try:
            check_not_reserved(patch)
            known = entry.document.get("config", {})
            config = check_config({**known, **patch})
        except InvalidConfig as error:
            raise InvalidChange(f"Fn {error}") from None
        recorded = {name: value for name, value in changes.items() if name in _CHANGEABLE}
        for name, value in recorded.items():
            if not _CHANGEABLE[name](value):
                raise InvalidChange(f"Invalid Fn {name}")
        # An empty value removes the key, as in Fn.
        kept = {name: value for name, value in config.items() if value}
        self.functions[id_] = changed = Entry({**entry.document, **recorded, "config": kept}, entry.pool)
        entry.pool.configure(patch)
        return changed

    def trigger(self, app_id: str, source: str) -> Entry | None:
        """The trigger with this source in an app; None if there is none."""
        for entry in self.triggers.values():
            if (entry.document["app_id"], entry.document["source"]) == (app_id, source):
                return entry
        return None

    def app_named(self, name: str) -> Entry | None:
        """The app with this name; None if there is none."""
        return next((entry for entry in self.apps.values() if entry.document["name"] == name), None)

    def _add_function(self, app_id: str, pool: ProcessPool) -> Entry:
        folder = pool.folder
        document = {
            "id": function_id(app_id, folder.name),
            "name": folder.name,
            "app_id": app_id,
            "image": f"folder:{folder.path.name}",
            "memory": folder.memory_mb,
            "timeout": int(folder.timeout_s) or 1,
            "idle_timeout": folder.idle_timeout_s,
        }
        return _add(self.functions, document, f"a function named {folder.name} already exists", pool)


def app_id(name: str) -> str:
    """The id of the app with this name."""
    return _id("app", name)


def function_id(app: str, name: str) -> str:
    """The id of the function with this name. app: the id of its app."""
    return _id("fn", app, name)


def _add(
    entries: dict[str, Entry], document: dict[str, Any], conflict: str, pool: ProcessPool | None = None
) -> Entry:
    entry = Entry(document, pool)
    if entry.id in entries:
        raise Conflict(conflict)
    if len(entries) >= MAX_ENTRIES:
        raise InvalidChange(f"there are already {MAX_ENTRIES} entries")
    entries[entry.id] = entry
    return entry


def _check_name(kind: str, name: str) -> None:
    """Raises InvalidChange."""
    if not is_name(name):
        raise InvalidChange(
            f"Invalid {kind} name: use letters, digits, `_` and `-`, at most {MAX_NAME_CHARACTERS}"
        )


def _id(*parts: str) -> str:
    """An id in the form of Fn's ids: 26 letters and digits."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:26].upper()
