"""Deploys a function's image to an Fn server through its API: app, function, configuration, HTTP triggers.

Does what `fn deploy --local` and `fn config function` do after the build. API: Fn server 0.3.753, `/v2`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
import orjson

from fncast.foreign_text import clean
from fncast.http.response_body import BodyTooLarge, read_body
from fncast.wording.http import describe
from functions.host.folder import FunctionFolder

TIMEOUT_S = 30.0
MAX_REASON_CHARACTERS = 500
MAX_URL_CHARACTERS = 2000
MAX_RESPONSE_BYTES = 1 << 20  # of one document or a list with one name
# Fn's annotations with the URLs of a function and of a trigger.
INVOKE_ENDPOINT = "fnproject.io/fn/invokeEndpoint"
TRIGGER_ENDPOINT = "fnproject.io/trigger/httpEndpoint"
# Configuration keys of the forecast function, one for each protocol. Only one of them may be set.
MODEL_URLS = ("GP_SERVER_URL", "KSERVE_URL")


class DeployError(Exception):
    """The server cannot be reached, rejects a request, or is not an Fn server; the text says which."""


class FnServer:
    """The API of an Fn server. An async context manager, which owns its HTTP session."""

    def __init__(self, url: str, token: str = "") -> None:
        """token: a bearer token, or empty."""
        self._url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._session = aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))

    async def __aenter__(self) -> FnServer:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def deploy(
        self, folder: FunctionFolder, image: str, app: str, config: Mapping[str, str]
    ) -> tuple[str, ...]:
        """Create or update the function so that it runs `image`. Sends nothing for entries that are already right.

        config: added to the configuration of func.yaml. Returns the function's URLs: one to invoke it, and those of its
        triggers. Raises DeployError.
        """
        if all(config.get(name) for name in MODEL_URLS):
            raise DeployError(f"{' and '.join(MODEL_URLS)} are both given: give only the one to use")
        app_id = (await self._ensure("apps", {"name": app}, {}))["id"]
        wanted = {
            "image": image,
            "memory": folder.memory_mb,
            "timeout": int(folder.timeout_s) or 1,
            "idle_timeout": folder.idle_timeout_s,
            "config": {**folder.config, **config},
        }
        function = await self._ensure("fns", {"name": folder.name, "app_id": app_id}, wanted)
        urls = [_annotation(function, INVOKE_ENDPOINT)]
        for name, source in folder.sources.items():
            key = {"name": name, "app_id": app_id, "fn_id": function["id"]}
            trigger = await self._ensure("triggers", key, {"type": "http", "source": source})
            urls.append(_annotation(trigger, TRIGGER_ENDPOINT))
        return tuple(url for url in urls if url)

    async def _ensure(
        self, kind: str, key: Mapping[str, str], wanted: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """The entry with this key. Creates it, or updates it to the wanted values if they differ."""
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in key.items())
        found = (await self._request("GET", f"/v2/{kind}?{query}")).get("items")
        if not found:
            return self._checked(await self._request("POST", f"/v2/{kind}", {**key, **wanted}), kind)
        entry = self._checked(found[0] if isinstance(found, list) else None, kind)
        changes = _changes(entry, wanted)
        if not changes:
            return entry
        path = f"/v2/{kind}/{entry['id']}"
        await self._request("PUT", path, changes)
        return self._checked(await self._request("GET", path), kind)  # the response to PUT has no URLs

    def _checked(self, entry: object, kind: str) -> Mapping[str, Any]:
        """Return the entry. Raises DeployError unless it has an id."""
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
            raise DeployError(
                f"{_shown(self._url)} does not answer like an Fn server: its entry in {kind} has no id"
            )
        return entry

    async def _request(
        self, method: str, path: str, document: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The document in the response to one request. Raises DeployError."""
        url = self._url + path
        shown = _shown(self._url) + path
        body = None if document is None else orjson.dumps(document)
        headers = {"Content-Type": "application/json"}
        try:
            async with self._session.request(method, url, data=body, headers=headers) as response:
                text = await read_body(response, MAX_RESPONSE_BYTES)
                status = response.status
        except TimeoutError:
            raise DeployError(f"{shown} did not answer within {TIMEOUT_S:g} s") from None
        except BodyTooLarge as error:
            raise DeployError(f"{shown} does not answer like an Fn server: {error}") from None
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError, ValueError) as error:
            raise DeployError(f"{shown} cannot be reached: {describe(error)}") from None
        try:
            content = orjson.loads(text)
        except orjson.JSONDecodeError:
            content = None
        if not isinstance(content, dict):
            raise DeployError(f"{shown} does not answer like an Fn server (status {status})")
        if status != 200:
            reason = clean(str(content.get("message", "")), MAX_REASON_CHARACTERS)
            raise DeployError(f"{method} {shown} was rejected with status {status}: {reason}")
        return content


def _shown(url: str) -> str:
    """The URL without user and password, for error texts."""
    try:
        parts = urlsplit(url)
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    except ValueError:
        return "the server"


def _annotation(entry: Mapping[str, Any], name: str) -> str:
    return clean(str((entry.get("annotations") or {}).get(name, "")), MAX_URL_CHARACTERS)


def _changes(entry: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The update that gives the entry the wanted values. Fn merges it; an empty value removes a configuration key.

    If the wanted configuration has one of MODEL_URLS, the update removes the other.
    """
    changes = {name: value for name, value in wanted.items() if name != "config" and entry.get(name) != value}
    if "config" in wanted:
        known, config = entry.get("config") or {}, dict(wanted["config"])
        if any(config.get(name) for name in MODEL_URLS):
            config = {**dict.fromkeys(MODEL_URLS, ""), **config}
        patch = {name: value for name, value in config.items() if known.get(name, "") != value}
        if patch:
            changes["config"] = patch
    return changes
