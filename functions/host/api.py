"""Fn's API to list, show and add apps, functions and triggers: `/v2/...` of Fn server 0.3.753."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from functions.host.registry import Conflict, Entry, InvalidChange, Missing, Registry, function_id

INVOKE_ENDPOINT = "fnproject.io/fn/invokeEndpoint"
TRIGGER_ENDPOINT = "fnproject.io/trigger/httpEndpoint"

StatusAndDocument = tuple[int, dict[str, Any]]


class InvalidBody(ValueError):
    """A body that the API cannot read. The status is 400."""


class Api:
    """Answers `/v2/...` requests from the registry. Does no I/O."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def answer(
        self, method: str, path: str, query: Mapping[str, str], body: bytes, base_url: str
    ) -> StatusAndDocument:
        """Status and JSON document. base_url: the host's URL as the caller sees it, `http://host:port`."""
        kind, _, id_ = path.removeprefix("/v2/").partition("/")
        entries = self._entries(kind)
        if entries is None:
            return _error(404, "Path not found")
        try:
            if method == "GET" and not id_:
                found = [entry for entry in entries.values() if _matches(entry, query)]
                return 200, {"items": [self._show(entry, base_url) for entry in found]}
            if method == "GET":
                return 200, self._show(_entry(entries, kind, id_), base_url)
            if method == "POST" and not id_:
                return 200, self._show(self._add(kind, _document(body)), base_url)
            if method == "PUT" and kind == "fns" and id_:
                # Fn answers PUT without annotations.
                return 200, self._registry.change_function(id_, _document(body)).document
        except (InvalidBody, InvalidChange) as error:
            return _error(400, str(error))
        except Missing as error:
            return _error(404, str(error))
        except Conflict as error:
            return _error(409, str(error))
        return _error(405, "Method not allowed")

    def _entries(self, kind: str) -> Mapping[str, Entry] | None:
        registry = self._registry
        return {"apps": registry.apps, "fns": registry.functions, "triggers": registry.triggers}.get(kind)

    def _add(self, kind: str, document: Mapping[str, Any]) -> Entry:
        """Raises InvalidBody, Missing, Conflict, InvalidChange."""
        name = _text(document, "name")
        if kind == "apps":
            return self._registry.add_app(name)
        app_id = _text(document, "app_id")
        if kind == "triggers":
            return self._registry.add_trigger(
                name, app_id, _text(document, "fn_id"), _text(document, "source")
            )
        if function_id(app_id, name) in self._registry.functions:
            raise Conflict("Fn with specified name already exists")
        raise InvalidChange(
            "this host runs the folders that it was started with; to deploy an image use an Fn server"
        )

    def _show(self, entry: Entry, base_url: str) -> dict[str, Any]:
        document = entry.document
        if entry.pool is not None:
            annotations = {INVOKE_ENDPOINT: f"{base_url}/invoke/{entry.id}"}
        elif "source" in document:
            app = self._registry.apps[document["app_id"]].document["name"]
            annotations = {TRIGGER_ENDPOINT: f"{base_url}/t/{app}{document['source']}"}
        else:
            return document
        return {**document, "annotations": annotations}


def _matches(entry: Entry, query: Mapping[str, str]) -> bool:
    return all(
        entry.document.get(name) == query[name] for name in ("name", "app_id", "fn_id") if name in query
    )


def _entry(entries: Mapping[str, Entry], kind: str, id_: str) -> Entry:
    if id_ not in entries:
        raise Missing({"apps": "App not found", "fns": "Fn not found"}.get(kind, "Trigger not found"))
    return entries[id_]


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise InvalidBody("Invalid JSON") from None
    if not isinstance(document, dict):
        raise InvalidBody("Invalid JSON")
    return document


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidBody(f"Missing {name}")
    return value


def _error(status: int, message: str) -> StatusAndDocument:
    return status, {"message": message}
