"""`fncast functions` as a process: requests, Fn's statuses, and a clean end."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from fncast.cli.main import main

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[4]
FORECAST = ROOT / "functions" / "forecast"
SAMPLE = json.loads((ROOT / "ce.json").read_text())
START_S = 30
# A host ends within 3 s; the tests share their machine.
END_S = 6
# A function that follows the orders in the body. It sets an HTTP status, which only a trigger passes on.
FUNCTION = """
import json, os, time
from fdk import response

def handler(ctx, data):
    order = json.loads(data.getvalue() or b"{}")
    time.sleep(order.get("sleep_s", 0))
    if order.get("exit"):
        os._exit(7)
    if order.get("raise"):
        raise ValueError(order.get("text", "its own text"))
    answer = {"pid": os.getpid(), "method": ctx.Method(), "url": ctx.RequestURL(), "headers": ctx.Headers()}
    return response.Response(ctx, json.dumps(answer), {"Content-Type": "application/json", "X-Own": "x"}, 418)
"""


class Host:
    """A running `fncast functions` and its stderr."""

    def __init__(self, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fncast", "functions", "--port", "0", *map(str, arguments)],
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self.process.stderr
        line = self.process.stderr.readline()
        found = re.search(r"http://\S+", line)
        assert found, line + self.process.stderr.read()
        self.url = found[0]
        self.stderr: list[str] = []
        self._reader = threading.Thread(target=lambda: self.stderr.extend(self.process.stderr or ()))
        self._reader.start()
        self.children: list[psutil.Process] = []

    def invoke_url(self, function: str) -> str:
        (app,) = requests.get(f"{self.url}/v2/apps", {"name": "fncast"}, timeout=5).json()["items"]
        query = {"app_id": app["id"], "name": function}
        (found,) = requests.get(f"{self.url}/v2/fns", query, timeout=5).json()["items"]
        return str(found["annotations"]["fnproject.io/fn/invokeEndpoint"])

    def wait_until_ready(self) -> None:
        until(lambda: requests.get(f"{self.url}/healthz", timeout=5).status_code == 200)
        self.children = psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> None:
        """End the process, and close its stderr once no child holds it open."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        psutil.wait_procs(self.children, timeout=5)
        for child in self.children:
            assert not child.is_running()
        self._reader.join(5)
        if self.process.stderr:
            self.process.stderr.close()


def until(condition: Callable[[], bool], within_s: float = START_S) -> None:
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, "the condition did not come true"
        time.sleep(0.02)


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
        until(lambda: requests.post(orders.invoke_url("orders"), data="{}", timeout=5).status_code == 200)


def test_the_text_of_a_failure_is_logged(orders: Host) -> None:
    requests.post(orders.invoke_url("orders"), json={"raise": True}, timeout=5)
    until(lambda: any("function orders failed: its own text" in line for line in orders.stderr), 5)


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
    until(lambda: not psutil.pid_exists(pid))
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
def test_a_repeated_attribute_is_refused(orders: Host, path: str, name: str) -> None:
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
    until(lambda: any("function orders failed: " in line for line in orders.stderr))
    for line in orders.stderr:
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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_at_once_and_quietly(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "func.py").write_text(FUNCTION)
    (tmp_path / "func.yaml").write_text("name: orders\n")
    host = Host(tmp_path)
    try:
        host.wait_until_ready()
        assert len(host.children) == 2
        requests.post(host.invoke_url("orders"), data="{}", timeout=5)
        host.process.send_signal(number)
        assert host.process.wait(END_S) == 0
    finally:
        host.end()
    assert "Traceback" not in "".join(host.stderr)


def test_ends_in_time_with_a_call_in_progress(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text(FUNCTION)
    (tmp_path / "func.yaml").write_text("name: orders\n")
    host = Host(tmp_path)
    try:
        host.wait_until_ready()
        url = host.invoke_url("orders")
        with ThreadPoolExecutor(1) as threads:
            running = threads.submit(requests.post, url, json={"sleep_s": 25}, timeout=30)
            until(lambda: any(len(child.net_connections("unix")) > 1 for child in host.children), 5)
            host.process.send_signal(signal.SIGTERM)
            assert host.process.wait(END_S) == 0
            assert running.exception(5) or running.result().status_code >= 500
    finally:
        host.end()
    assert "Traceback" not in "".join(host.stderr)


def test_the_documented_function_works(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "functions.md").read_text()
    for name, language in (("func.py", "python"), ("func.yaml", "yaml")):
        (found,) = re.findall(rf"```{language}\n# {name}\n(.*?)```", text, flags=re.DOTALL)
        (tmp_path / name).write_text(found)
    host = Host(tmp_path, "--processes", "1")
    try:
        host.wait_until_ready()
        events = [{**SAMPLE, "id": id_, "data": {"values": [1, 2, 6]}} for id_ in "ab"]
        answer = requests.post(host.invoke_url("mean"), json=events, timeout=10)
        assert answer.headers["content-type"] == "application/cloudevents-batch+json"
        assert [output["data"]["mean"] for output in answer.json()] == [3, 3]
        assert [output["causationid"] for output in answer.json()] == ["a", "b"]
    finally:
        host.end()


def test_functions_end_with_a_killed_host(tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text(FUNCTION)
    (tmp_path / "func.yaml").write_text("name: orders\n")
    host = Host(tmp_path)
    try:
        host.wait_until_ready()
        host.process.kill()
        gone, left = psutil.wait_procs(host.children, timeout=5)
        assert len(gone) == 2
        assert not left
    finally:
        host.end()


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """command(*arguments): exit code and stderr of a `fncast functions` that is refused, in this process."""

    def call(*arguments: object) -> tuple[int, str]:
        try:
            code = main(["functions", *map(str, arguments)])
        except SystemExit as end:
            code = int(end.code or 0)
        return code, capsys.readouterr().err

    return call


def test_invalid_folders_and_flags_are_refused(
    command: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    assert command(tmp_path) == (
        1,
        f"fncast: {tmp_path} has no func.yaml, so it is not an Fn function in Python\n",
    )
    (tmp_path / "func.py").write_text(FUNCTION)
    (tmp_path / "func.yaml").write_text("name: f\nexpects: {config: [{name: PLACE, required: true}]}\n")
    code, text = command(tmp_path)
    assert code == 1
    assert "needs PLACE: set it in the environment or with --config PLACE=" in text
    assert command(FORECAST, "--config", "x")[0] == 2
    assert command(FORECAST, "--processes", "0")[0] == 2
    assert command()[0] == 2


def test_the_shipped_functions_are_found_from_any_folder(
    command: Callable[..., tuple[int, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command("functions/mine") == (1, "fncast: functions/mine is not a folder\n")
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        code, text = command("functions/forecast", "functions/notify", "--port", taken.getsockname()[1])
    assert (code, "in use" in text) == (1, True)
    (tmp_path / "functions" / "forecast").mkdir(parents=True)
    assert "functions/forecast has no func.yaml" in command("functions/forecast")[1]


def test_a_port_in_use_is_reported(command: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text(FUNCTION)
    (tmp_path / "func.yaml").write_text("name: orders\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, text = command(tmp_path, "--port", port)
    assert (code, text) == (1, f"fncast: port {port} on 127.0.0.1 is in use; choose another with --port\n")
