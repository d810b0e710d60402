"""Fn's API over the registry: what its own client and command-line tool ask."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from functions.host.api import INVOKE_ENDPOINT, TRIGGER_ENDPOINT, Api
from functions.host.folder import FunctionFolder, InvalidFunction
from functions.host.pool import Pool
from functions.host.registry import Registry

URL = "http://host:1"


def pool(name: str, sources: dict[str, str] | None = None) -> Pool:
    return Pool(FunctionFolder(Path(f"/functions/{name}"), name, sources=sources or {}), {}, 1)


@pytest.fixture
def api() -> Api:
    return Api(Registry("fncast", [pool("forecast", {"forecast": "/forecast"}), pool("other")]))


def get(api: Api, path: str, **query: str) -> Any:
    status, document = api.answer("GET", path, query, b"", URL)
    assert status == 200
    return document


def post(api: Api, path: str, **document: Any) -> tuple[int, dict[str, Any]]:
    return api.answer("POST", path, {}, orjson.dumps(document), URL)


def test_a_caller_finds_a_function_by_app_and_name(api: Api) -> None:
    (app,) = get(api, "/v2/apps", name="fncast")["items"]
    (function,) = get(api, "/v2/fns", app_id=app["id"], name="forecast")["items"]
    assert function["annotations"] == {INVOKE_ENDPOINT: f"{URL}/invoke/{function['id']}"}
    assert get(api, f"/v2/fns/{function['id']}") == function
    (trigger,) = get(api, "/v2/triggers", app_id=app["id"], fn_id=function["id"])["items"]
    assert trigger["annotations"] == {TRIGGER_ENDPOINT: f"{URL}/t/fncast/forecast"}


def test_filters_leave_out_what_does_not_fit(api: Api) -> None:
    assert len(get(api, "/v2/fns")["items"]) == 2
    assert get(api, "/v2/apps", name="absent") == {"items": []}
    assert get(api, "/v2/fns", app_id="absent", name="forecast") == {"items": []}


def test_ids_are_the_same_after_a_restart(api: Api) -> None:
    again = Api(Registry("fncast", [pool("other"), pool("forecast")]))
    assert get(again, "/v2/fns", name="forecast") == get(api, "/v2/fns", name="forecast")


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [
        ("GET", "/v2/apps/absent", 404, "App not found"),
        ("GET", "/v2/fns/absent", 404, "Fn not found"),
        ("GET", "/v2/triggers/absent", 404, "Trigger not found"),
        ("GET", "/v2/calls", 404, "Path not found"),
        ("DELETE", "/v2/apps/absent", 405, "Method not allowed"),
        ("POST", "/v2/apps", 400, "Invalid JSON"),
    ],
)
def test_errors_are_fns(api: Api, method: str, path: str, status: int, says: str) -> None:
    assert api.answer(method, path, {}, b"[", URL) == (status, {"message": says})


def test_what_is_there_conflicts_and_triggers_can_be_added(api: Api) -> None:
    app_id = get(api, "/v2/apps")["items"][0]["id"]
    function_id = get(api, "/v2/fns", name="other")["items"][0]["id"]
    assert post(api, "/v2/apps", name="fncast")[0] == 409
    assert post(api, "/v2/fns", name="forecast", app_id=app_id, image="x")[0] == 409
    added = {"name": "t", "app_id": app_id, "fn_id": function_id, "type": "http", "source": "/x"}
    assert post(api, "/v2/triggers", **added)[0] == 200
    assert post(api, "/v2/triggers", **added)[0] == 409
    assert post(api, "/v2/triggers", **{**added, "fn_id": "absent", "source": "/y"})[0] == 404
    assert post(api, "/v2/apps", name="second")[0] == 200
    assert post(api, "/v2/apps")[0] == 400


def test_images_are_for_an_fn_server(api: Api) -> None:
    app_id = get(api, "/v2/apps")["items"][0]["id"]
    status, document = post(api, "/v2/fns", name="new", app_id=app_id, image="x")
    assert status == 400
    assert "Fn server" in document["message"]


def test_two_folders_cannot_share_a_name_or_a_source() -> None:
    with pytest.raises(InvalidFunction, match="a function named f already exists"):
        Registry("fncast", [pool("f"), pool("f")])
    with pytest.raises(InvalidFunction, match="/x already exists"):
        Registry("fncast", [pool("f", {"a": "/x"}), pool("g", {"b": "x/"})])
