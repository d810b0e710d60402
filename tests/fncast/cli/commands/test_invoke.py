"""`fncast invoke` with unusual answers of a function."""

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from fncast.cli.commands.invoke import events_of, line
from fncast.cli.main import main
from fncast.failure import Failure
from interceptor.routes.client import EventsAnswer

SAMPLE = Path(__file__).parents[4] / "ce.json"
POLL_S = 0.01  # of the server, which sees its shutdown then
EVENT = {"specversion": "1.0", "id": "1", "source": "/f"}
REJECTED, UNAVAILABLE = "io.fncast.rejected.v1", "io.fncast.unavailable.v1"


@pytest.fixture
def function():
    """An HTTP function. Its attribute `response` is the answer as an object."""

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "application/cloudevents+json")
            self.end_headers()
            self.wfile.write(json.dumps(server.response).encode())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, args=(POLL_S,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"type": REJECTED, "data": {"reason": "too odd\nfor me"}}, "rejects the event: too odd for me"),
        ({"type": UNAVAILABLE, "data": {"reason": "away"}}, "is unavailable: away"),
        ({"type": REJECTED, "data": {}}, "rejects the event: no reason given"),
        ({"type": REJECTED, "data": ["no"]}, "rejects the event: no reason given"),
        ({"type": REJECTED, "data": "no"}, "rejects the event: no reason given"),
        ({"type": ["not a string"], "data": 1}, ""),
        (
            {"type": REJECTED, "subject": "\x9b31m\u202e", "data": {"reason": "\x1b[2J" + "x" * 5000}},
            "rejects the event: �" + "x" * 1022 + "…",
        ),
    ],
)
def test_a_rejection_is_one_sentence_whatever_its_data_are(
    function, tmp_path, monkeypatch, capsys, members, sentence
):
    function.response = {**EVENT, **members}
    for name in [name for name in os.environ if name.startswith("FNCAST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FNCAST_ROUTES__OTHER", f"http://127.0.0.1:{function.server_port}/")
    monkeypatch.chdir(tmp_path)
    assert main(["invoke", "other", str(SAMPLE)]) == (1 if sentence else 0)
    shown = capsys.readouterr()
    assert shown.err == (f"fncast: the function {sentence}\n" if sentence else "")
    assert json.loads(shown.out) == function.response
    assert shown.out.removesuffix("\n").isprintable()


def test_an_answer_nested_too_deeply_is_one_sentence():
    deep: object = 1
    for _ in range(500):
        deep = [deep]
    with pytest.raises(Failure, match="cannot be shown as JSON"):
        line({"data": deep})


def test_an_answer_that_is_not_json_is_one_sentence():
    with pytest.raises(
        Failure,
        match=r"^the function's answer is not JSON: unexpected character, expected a JSON value in line 1, column 1$",
    ):
        events_of(EventsAnswer(b"<html>", is_batch=False))


def test_a_route_that_does_not_exist_is_answered_with_those_that_do(tmp_path, monkeypatch, capsys):
    (tmp_path / "fncast.toml").write_text("[routes]\n")
    monkeypatch.chdir(tmp_path)
    assert main(["invoke", "other", str(SAMPLE)]) == 1
    assert capsys.readouterr().err == "fncast: no route 'other'; the routes are none\n"
