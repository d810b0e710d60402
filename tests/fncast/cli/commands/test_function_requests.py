"""Requests to `fncast functions`: headers, Fn's statuses, forms of events, other sites."""

import http.client
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from tests.fncast.cli.commands.function_host import (
    FORECAST,
    FUNCTION,
    SAMPLE,
    START_S,
    Host,
)
from tests.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A host with the forecast function and FUNCTION as `orders` and `patient`, each with one process.

    The timeout of `orders` is 1 s. Calls of `patient` wait for a new process as long as a test waits for anything.
    """
    folder, patient = tmp_path_factory.mktemp("orders"), tmp_path_factory.mktemp("patient")
    for each in (folder, patient):
        (each / "func.py").write_text(FUNCTION)
    trigger = "triggers: [{name: t, type: http, source: /any/path}]"
    (folder / "func.yaml").write_text(f"name: orders\ntimeout: 1\n{trigger}\n")
    (patient / "func.yaml").write_text(f"name: patient\ntimeout: {START_S}\n")
    folders = (folder, patient, FORECAST)
    host = Host(*folders, "--processes", "1", "--config", "GP_SERVER_URL=http://127.0.0.1:9")
    host.wait_until_ready()
    yield host
    host.end()


def test_invoke_passes_headers_unchanged(orders: Host) -> None:
    headers = {"ce-id": "é☃".encode(), "ce-source": b"\xff", "Fn-Deadline": "of the caller"}
    answer = requests.post(orders.invoke_url("orders"), data="{}", headers=headers, timeout=5)
    assert answer.status_code == 200  # invoke does not pass the function's status on
    assert answer.headers["x-own"] == "x"
    assert re.fullmatch(r"[0-9A-F]{26}", answer.headers["fn-call-id"])
    assert answer.json()["headers"]["ce-id"] == "é☃"
    assert answer.json()["headers"]["ce-source"] == "ÿ"
    assert answer.json()["headers"]["fn-deadline"].endswith("Z")


def test_a_trigger_passes_the_request_and_the_functions_status(orders: Host) -> None:
    url = f"{orders.url}/t/fncast/any/path"
    answer = requests.put(url, params={"a": "b\r\nc"}, data="{}", headers={"X-In": "in"}, timeout=5)
    assert answer.status_code == 418
    assert answer.headers["x-own"] == "x"
    assert answer.json()["method"] == "PUT"
    assert answer.json()["url"] == f"{url}?a=b%0D%0Ac"
    assert answer.json()["headers"]["x-in"] == "in"


@pytest.mark.parametrize(
    ("order", "status", "text"),
    [
        ({"raise": True}, 502, "function failed"),
        ({"exit": True}, 502, "error receiving function response"),
        ({"sleep_s": 30}, 504, "Timed out"),
    ],
)
def test_failures_have_fns_statuses_and_pass(
    orders: Host, order: dict[str, Any], status: int, text: str
) -> None:
    for url in (orders.invoke_url("orders"), f"{orders.url}/t/fncast/any/path"):
        answer = requests.post(url, json=order, timeout=10)
        assert (answer.status_code, answer.json()) == (status, {"message": text})
        # While a new process starts, a caller may get 503.
        eventually(
            lambda: requests.post(orders.invoke_url("orders"), data="{}", timeout=5).status_code == 200
        )


def test_the_text_of_a_failure_is_logged(orders: Host) -> None:
    requests.post(orders.invoke_url("orders"), json={"raise": True}, timeout=5)
    eventually(lambda: any("function orders failed: its own text" in line for line in orders.lines), 5)


@pytest.mark.parametrize("path", ["/invoke/absent", "/t/fncast/absent", "/t/absent/any/path", "/absent"])
def test_an_unknown_path_is_404(orders: Host, path: str) -> None:
    answer = requests.post(orders.url + path, data="{}", timeout=5)
    assert answer.status_code == 404
    assert "message" in answer.json()


def test_a_body_that_is_too_large_is_413(orders: Host) -> None:
    answer = requests.post(orders.invoke_url("orders"), data=b" " * (17 * 1024 * 1024), timeout=10)
    assert answer.status_code == 413
    assert "message" in answer.json()


def test_a_killed_process_is_replaced(orders: Host) -> None:
    url = orders.invoke_url("patient")
    pid = requests.post(url, data="{}", timeout=START_S).json()["pid"]
    psutil.Process(pid).kill()
    eventually(lambda: not psutil.pid_exists(pid))
    assert requests.post(url, data="{}", timeout=START_S).json()["pid"] != pid


def test_many_callers_at_once_are_all_answered(orders: Host) -> None:
    url = orders.invoke_url("patient")
    with ThreadPoolExecutor(16) as threads:
        answers = list(
            threads.map(lambda _: requests.post(url, json={"sleep_s": 0.005}, timeout=START_S), range(64))
        )
    assert {answer.status_code for answer in answers} == {200}


@pytest.mark.parametrize("place", ["invoke", "trigger"])
@pytest.mark.parametrize("form", ["binary", "structured", "plain", "curl's default"])
def test_the_forecast_function_accepts_an_event_in_every_form(orders: Host, place: str, form: str) -> None:
    url = orders.invoke_url("forecast") if place == "invoke" else f"{orders.url}/t/fncast/forecast"
    content_types = {
        "structured": "application/cloudevents+json",
        "plain": "text/plain",
        "curl's default": "application/x-www-form-urlencoded",
    }
    if form == "binary":
        headers = {f"ce-{name}": SAMPLE[name] for name in ("specversion", "id", "source", "type", "subject")}
        answer = requests.post(url, json=SAMPLE["data"], headers=headers, timeout=5)
    else:
        body = json.dumps(SAMPLE).encode()
        answer = requests.post(url, data=body, headers={"Content-Type": content_types[form]}, timeout=5)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/cloudevents+json"
    output = answer.json()
    assert output["type"] == "io.fncast.unavailable.v1"  # no model service runs
    assert (output["causationid"], output["causationsource"]) == (SAMPLE["id"], SAMPLE["source"])
    assert "http://127.0.0.1:9 is not reachable" in output["data"]["reason"]


@pytest.mark.parametrize("path", ["invoke", "trigger"])
@pytest.mark.parametrize("name", ["ce-subject", "Ce-Type", "ce-unknown", "content-type"])
def test_a_repeated_attribute_is_rejected(orders: Host, path: str, name: str) -> None:
    url = orders.invoke_url("orders") if path == "invoke" else f"{orders.url}/t/fncast/any/path"
    address = urlsplit(url)
    with closing(http.client.HTTPConnection(address.netloc, timeout=5)) as connection:
        connection.putrequest("POST", address.path)
        for field, value in ((name, "a"), (name.lower(), "b\x9b"), ("content-length", "2")):
            connection.putheader(field, value)
        connection.endheaders(b"{}")
        answer = connection.getresponse()
        text = json.loads(answer.read())["message"]
    assert answer.status == 400
    assert text.startswith(f"the header {name.lower()!r} is sent twice, as 'a' and 'b")
    assert text.isprintable()


@pytest.mark.parametrize(
    "given", [None, "text/plain", "application/x-www-form-urlencoded", "text/plain; application/json"]
)
def test_changes_must_be_json(orders: Host, given: str | None) -> None:
    headers = {"content-type": given} if given else {}
    answer = requests.post(f"{orders.url}/v2/apps", data=b'{"name":"plain"}', headers=headers, timeout=5)
    assert answer.status_code == 415
    assert answer.json() == {"message": "Content-Type must be application/json"}
    (function,) = requests.get(f"{orders.url}/v2/fns", {"name": "orders"}, timeout=5).json()["items"]
    url = f"{orders.url}/v2/fns/{function['id']}"
    assert requests.put(url, data=b'{"config":{"A":"b"}}', headers=headers, timeout=5).status_code == 415
    assert requests.get(f"{orders.url}/v2/apps", {"name": "plain"}, timeout=5).json() == {"items": []}


def test_a_page_of_another_site_can_change_and_read_nothing(orders: Host) -> None:
    document = {"config": {"LD_PRELOAD": "/tmp/x.so"}}
    (function,) = requests.get(f"{orders.url}/v2/fns", {"name": "orders"}, timeout=5).json()["items"]
    url = f"{orders.url}/v2/fns/{function['id']}"
    evil = {"Host": "evil.example.com"}
    assert requests.put(url, json=document, headers=evil, timeout=5).status_code == 403
    assert requests.get(url, headers=evil, timeout=5).status_code == 403
    origin = {"Origin": "http://evil.example.com", "content-type": "text/plain"}
    assert (
        requests.post(f"{orders.url}/v2/apps", b'{"name":"x"}', headers=origin, timeout=5).status_code == 403
    )
    assert requests.put(url, json=document, timeout=5).status_code == 400


def test_a_functions_error_cannot_forge_a_log_line(orders: Host) -> None:
    text = "\x1b[2J\x1b[31mno\r\n2026-01-01 00:00:00,000 INFO    fncast: forged line\u2028\u202e" + "x" * 3000
    answer = requests.post(orders.invoke_url("orders"), json={"raise": True, "text": text}, timeout=5)
    assert answer.status_code == 502
    eventually(lambda: any("function orders failed: " in line for line in orders.lines))
    for line in orders.lines:
        assert line.rstrip("\n").isprintable()
        assert not line.startswith("2026-01-01 ")
        assert len(line) < 2500


def test_a_batch_is_answered_by_a_batch(orders: Host) -> None:
    headers = {"Content-Type": "application/cloudevents-batch+json"}
    bad = {**SAMPLE, "data": None}
    body = json.dumps([SAMPLE, bad, SAMPLE])
    answer = requests.post(orders.invoke_url("forecast"), data=body, headers=headers, timeout=5)
    assert answer.headers["content-type"] == headers["Content-Type"]
    kinds = [output["type"].split(".")[2] for output in answer.json()]
    assert kinds == ["unavailable", "rejected", "unavailable"]


def test_the_host_reports_its_version_and_health(orders: Host) -> None:
    assert requests.get(f"{orders.url}/version", timeout=5).json()["version"]
    assert requests.get(f"{orders.url}/ping", timeout=5).json()["functions"]["forecast"] == "ready"
