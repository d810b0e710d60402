"""Fn's API over the registry: the requests of Fn's clients and command-line tool."""

from pathlib import Path
from typing import Any

import pytest

from functions.host.api import INVOKE_ENDPOINT, TRIGGER_ENDPOINT, Api
from functions.host.folder import FunctionFolder
from functions.host.pool import ProcessPool
from functions.host.registry import Registry
from tests.functions.host.api_calls import URL, get, pool, post, put


def test_a_function_is_found_by_app_and_name(api: Api) -> None:
    (app,) = get(api, "/v2/apps", name="fncast")["items"]
    (function,) = get(api, "/v2/fns", app_id=app["id"], name="forecast")["items"]
    assert function["annotations"] == {INVOKE_ENDPOINT: f"{URL}/invoke/{function['id']}"}
    assert get(api, f"/v2/fns/{function['id']}") == function
    (trigger,) = get(api, "/v2/triggers", app_id=app["id"], fn_id=function["id"])["items"]
    assert trigger["annotations"] == {TRIGGER_ENDPOINT: f"{URL}/t/fncast/forecast"}


def test_filters_select_entries(api: Api) -> None:
    assert len(get(api, "/v2/fns")["items"]) == 2
    assert get(api, "/v2/apps", name="absent") == {"items": []}
    assert get(api, "/v2/fns", app_id="absent", name="forecast") == {"items": []}


def test_ids_are_the_same_after_a_restart(api: Api) -> None:
    again = Api(Registry("fncast", [pool("other"), pool("forecast")]))
    assert get(again, "/v2/fns", name="forecast") == get(api, "/v2/fns", name="forecast")


@pytest.mark.parametrize(
    ("method", "path", "status", "text"),
    [
        ("GET", "/v2/apps/absent", 404, "App not found"),
        ("GET", "/v2/fns/absent", 404, "Fn not found"),
        ("GET", "/v2/triggers/absent", 404, "Trigger not found"),
        ("GET", "/v2/calls", 404, "Path not found"),
        ("DELETE", "/v2/apps/absent", 405, "Method not allowed"),
        ("POST", "/v2/apps", 400, "Invalid JSON"),
    ],
)
def test_errors_are_those_of_fn(api: Api, method: str, path: str, status: int, text: str) -> None:
    assert api.answer(method, path, {}, b"[", URL) == (status, {"message": text})


def test_existing_names_conflict_and_triggers_can_be_added(api: Api) -> None:
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


def test_an_image_cannot_be_added(api: Api) -> None:
    app_id = get(api, "/v2/apps")["items"][0]["id"]
    status, document = post(api, "/v2/fns", name="new", app_id=app_id, image="x")
    assert status == 400
    assert "Fn server" in document["message"]


@pytest.mark.parametrize("config", ["A", 1, ["A"], [], "", 0, False])
def test_a_configuration_must_be_an_object(api: Api, config: object) -> None:
    status, document = put(api, config=config)
    assert (status, document["message"]) == (400, "Fn config must be an object of strings")


def test_put_responds_as_fn_does(api: Api) -> None:
    status, document = put(api, config={"A": "1", "B": ""})
    assert status == 200
    assert "annotations" not in document
    assert document["config"] == {"A": "1"}  # an empty value removes the key
    assert put(api, config={"A": ""})[1]["config"] == {}
    assert put(api, memory=512, unknown="x", id="x")[1]["memory"] == 512
    (function,) = get(api, "/v2/fns", name="other")["items"]
    assert function["annotations"]
    assert "unknown" not in function


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("memory", -1),
        ("memory", True),
        ("timeout", "x"),
        ("timeout", 301),
        ("idle_timeout", 0),
        ("image", 5),
        ("image", "\x1b[2J"),
    ],
)
def test_a_field_that_an_fn_server_rejects_is_rejected(api: Api, name: str, value: Any) -> None:
    status, document = put(api, **{name: value})
    assert (status, document["message"]) == (400, f"Invalid Fn {name}")
    assert put(api)[1].get(name) != value


def test_an_empty_value_removes_a_variable() -> None:
    folder = FunctionFolder(Path("/functions/other"), "other")
    other = ProcessPool(folder, {"URL": "http://a", "NONE": ""}, 1)
    api = Api(Registry("fncast", [other]))
    assert other.variables == {"URL": "http://a"}
    put(api, config={"URL": "", "OTHER": "http://b"})
    assert other.variables == {"OTHER": "http://b"}


@pytest.mark.parametrize("source", ["/\x1b[2J", "/a\nb", "/" + "x" * 255])
def test_sources_are_short_and_printable(api: Api, source: str) -> None:
    app_id = get(api, "/v2/apps")["items"][0]["id"]
    function_id = get(api, "/v2/fns", name="other")["items"][0]["id"]
    added = {"name": "t", "app_id": app_id, "fn_id": function_id, "type": "http", "source": source}
    assert post(api, "/v2/triggers", **added)[0] == 400
