"""The function `notify` without Fn, on a receiver that records what it gets; and against a real Alertmanager."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import eventually

sys.path.insert(0, str(Path(__file__).parents[3] / "functions" / "notify"))
try:
    from notifier import (
        ALERT,
        ANOMALY,
        NONE,
        REJECTED,
        UNAVAILABLE,
        Notifier,
        Unreachable,
        Unusable,
        WrongConfiguration,
        post,
        read_request,
    )
finally:
    sys.path.pop(0)

START_S = 30


class Receiver:
    """Records calls. fails: raise Unreachable instead."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any, Mapping[str, str]]] = []
        self.fails = False

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        if self.fails:
            raise Unreachable("it is away")
        self.calls.append((url, json.loads(body), headers))


def event(type_: str, state: str, id_: str = "1", **data: Any) -> dict[str, Any]:
    found = {
        "specversion": "1.0",
        "id": id_,
        "source": "fncast/monitor",
        "type": type_,
        "subject": "web-1.disk",
    }
    return {**found, "data": {"state": state, **data}}


def test_a_webhook_gets_the_event_once() -> None:
    receiver = Receiver()
    notifier = Notifier({"WEBHOOK_URL": "http://pager/hook", "WEBHOOK_TOKEN": "secret"}, receiver)
    opened = event(ANOMALY, "open", value=7)
    for _ in range(2):
        (answer,) = notifier.answer([opened])
        assert (answer["type"], answer["causationid"]) == (NONE, "1")
    ((url, body, headers),) = receiver.calls
    assert (url, body) == ("http://pager/hook", opened)
    assert headers["authorization"] == "Bearer secret"
    assert headers["idempotency-key"] == "1"


def test_an_alert_has_the_same_labels_when_it_closes() -> None:
    receiver = Receiver()
    notifier = Notifier({"ALERTMANAGER_URL": "http://am:9093/"}, receiver)
    notifier.answer(
        [event(ALERT, "open", "1", rule="disk-full"), event(ALERT, "closed", "2", rule="disk-full")]
    )
    (opened,), (closed,) = (body for _, body, _ in receiver.calls)
    assert receiver.calls[0][0] == "http://am:9093/api/v2/alerts"
    assert (
        opened["labels"]
        == closed["labels"]
        == {
            "alertname": "disk-full",
            "series": "web-1.disk",
            "source": "fncast/notify",
        }
    )
    assert closed["endsAt"] < opened["endsAt"]


def test_alerts_about_two_versions_of_a_model_are_two() -> None:
    receiver = Receiver()
    notifier = Notifier({"ALERTMANAGER_URL": "http://am:9093"}, receiver)
    models = ("forecast/1", "forecast/2")
    rule = "worse-than-last-value"
    notifier.answer([event(ALERT, "open", model, rule=rule, model=model, skill=-0.2) for model in models])
    alerts = [body[0] for _, body, _ in receiver.calls]
    assert [alert["labels"]["model"] for alert in alerts] == list(models)
    assert "forecasts of forecast/1 are worse than the last value" in alerts[0]["annotations"]["summary"]


@pytest.mark.parametrize(
    ("kind", "summary"),
    [
        ("outlier", "web-1.disk: 7 instead of 5 at 2026-01-01T00:00:00Z"),
        ("silent", "web-1.disk: no reading after that of 2026-01-01T00:00:00Z"),
    ],
)
def test_an_anomaly_is_summed_up_by_its_kind(kind: str, summary: str) -> None:
    receiver = Receiver()
    notifier = Notifier({"ALERTMANAGER_URL": "http://am:9093"}, receiver)
    notifier.answer([event(ANOMALY, "open", kind=kind, value=7, expected=5, time="2026-01-01T00:00:00Z")])
    ((_, (alert,), _),) = receiver.calls
    assert alert["labels"]["kind"] == kind
    assert alert["annotations"]["summary"] == summary


def test_an_outage_is_retried_and_a_wrong_event_rejected() -> None:
    receiver = Receiver()
    notifier = Notifier({"WEBHOOK_URL": "http://pager/hook"}, receiver)
    receiver.fails = True
    assert notifier.answer([event(ANOMALY, "open")])[0]["type"] == UNAVAILABLE
    receiver.fails = False
    assert notifier.answer([event(ANOMALY, "open")])[0]["type"] == NONE
    other, stateless = event("io.fncast.forecast.v1", "open", "3"), event(ANOMALY, "maybe", "2")
    assert [answer["type"] for answer in notifier.answer([other, stateless])] == [REJECTED, REJECTED]


@pytest.mark.parametrize(
    "config", [{}, {"WEBHOOK_URL": "ftp://x"}, {"WEBHOOK_URL": "http://x", "ALERTMANAGER_URL": "http://y"}]
)
def test_a_wrong_configuration_is_named(config: dict[str, str]) -> None:
    with pytest.raises(WrongConfiguration, match="_URL"):
        Notifier(config, Receiver())


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (b"HTTP/1.1 503 Busy\r\n\r\n", Unreachable),
        (b"HTTP/1.1 422 No\r\n\r\n", Unusable),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/login\r\n\r\n", Unreachable),
        (b"not HTTP\r\n\r\n", Unreachable),
        (b"", Unreachable),
    ],
)
def test_a_receiver_that_does_not_take_an_event_says_whether_to_retry(
    response: bytes, error: type[Exception]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(response)

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(error):
            post("http://{}:{}/hook".format(*server.getsockname()), b"", {})
        thread.join(10)


def test_a_redirect_is_not_followed() -> None:
    """A redirected POST becomes a GET without the event, and would hand the token to another host."""
    requests: list[bytes] = []
    redirect = b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    page = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            for response in (redirect, page):
                connection, _ = server.accept()
                with connection:
                    requests.append(connection.recv(65_536))
                    connection.sendall(response)

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(Unreachable, match="answers 302: it redirects"):
            post("http://{}:{}/hook".format(*server.getsockname()), b"{}", {"authorization": "Bearer secret"})
    assert [request.split()[0] for request in requests] == [b"POST"]


def test_a_slow_receiver_does_not_make_a_call_longer_than_the_timeout_of_the_function() -> None:
    now_s = 0.0

    class SlowReceiver(Receiver):
        def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
            nonlocal now_s
            now_s += 5.0
            super().__call__(url, body, headers)

    receiver = SlowReceiver()
    notifier = Notifier({"WEBHOOK_URL": "http://pager/hook"}, receiver, lambda: now_s)
    events = [event(ANOMALY, "open", id_) for id_ in "123"]
    answers = notifier.answer(events)
    assert [answer["type"] for answer in answers] == [NONE, NONE, UNAVAILABLE]
    assert "the receiver is slow" in answers[2]["data"]["reason"]
    assert [answer["type"] for answer in notifier.answer(events)] == [NONE, NONE, NONE]
    assert [body["id"] for _, body, _ in receiver.calls] == ["1", "2", "3"]


@pytest.mark.parametrize("body", [b"", b"no JSON", b"\xff", b"7", b'["text"]', b"[" * 100_000])
def test_a_request_that_holds_no_event_is_rejected(body: bytes) -> None:
    events, is_batch = read_request(body)
    (answer,) = Notifier({"WEBHOOK_URL": "http://pager/hook"}, Receiver()).answer(events)
    assert (answer["type"], is_batch) == (REJECTED, body == b'["text"]')
    assert "not a CloudEvent in JSON" in answer["data"]["reason"]


def alertmanager_program() -> str | None:
    return os.environ.get("ALERTMANAGER") or shutil.which("prometheus-alertmanager")


@pytest.fixture
def alertmanager(tmp_path: Path, unused_tcp_port: int) -> Iterator[str]:
    """The URL of a running Alertmanager, Debian's package prometheus-alertmanager."""
    program = alertmanager_program()
    if program is None:
        pytest.skip("needs Debian's prometheus-alertmanager, or its path in $ALERTMANAGER")
    config = tmp_path / "alertmanager.yml"
    config.write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    command = [program, f"--config.file={config}", f"--storage.path={tmp_path}/data"]
    command += [f"--web.listen-address=127.0.0.1:{unused_tcp_port}", "--cluster.listen-address="]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{unused_tcp_port}"
            eventually(lambda: is_ready(url), START_S, (tmp_path / "log").read_text)
            yield url
        finally:
            process.kill()
            process.wait()


def is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=1):
            return True
    except OSError:
        return False


@pytest.mark.integration
def test_alertmanager_shows_an_open_alert_until_it_is_closed(alertmanager: str) -> None:
    def active() -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{alertmanager}/api/v2/alerts?active=true", timeout=5) as answer:
            return json.load(answer)

    notifier = Notifier({"ALERTMANAGER_URL": alertmanager}, post)
    opened, closed = (
        event(ALERT, "open", "1", rule="disk-full"),
        event(ALERT, "closed", "2", rule="disk-full"),
    )
    assert notifier.answer([opened])[0]["type"] == NONE
    (alert,) = active()
    assert alert["labels"]["series"] == "web-1.disk"
    assert notifier.answer([closed])[0]["type"] == NONE
    assert active() == []
