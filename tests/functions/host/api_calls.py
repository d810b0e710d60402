"""Calls of Fn's API in tests."""

from pathlib import Path
from typing import Any

import orjson

from functions.host.api import Api
from functions.host.folder import FunctionFolder
from functions.host.pool import ProcessPool

URL = "http://host:1"


def pool(name: str, sources: dict[str, str] | None = None) -> ProcessPool:
    return ProcessPool(FunctionFolder(Path(f"/functions/{name}"), name, sources=sources or {}), {}, 1)


def get(api: Api, path: str, **query: str) -> Any:
    status, document = api.answer("GET", path, query, b"", URL)
    assert status == 200
    return document


def post(api: Api, path: str, **document: Any) -> tuple[int, dict[str, Any]]:
    return api.answer("POST", path, {}, orjson.dumps(document), URL)


def put(api: Api, **document: Any) -> tuple[int, dict[str, Any]]:
    (function,) = get(api, "/v2/fns", name="other")["items"]
    return api.answer("PUT", f"/v2/fns/{function['id']}", {}, orjson.dumps(document), URL)
