"""Calls of a function over HTTP: what it gets, and the response for each way in which a call ends."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from functions.host.errors import Busy, CallFailed, CallTimedOut, NotStarted
from functions.host.folder import FunctionFolder
from functions.host.invocation import Reply, invoke, trigger
from functions.host.pool import ProcessPool
from functions.host.process import FunctionAnswer

Headers = list[tuple[str, str]]
URL = "http://host/t/fncast/f?x=1"


class AnsweringPool(ProcessPool):
    """A pool without processes. Each call gets `answer`, or raises it."""

    def __init__(self, answer: FunctionAnswer | Exception) -> None:
        super().__init__(FunctionFolder(Path("/functions/f"), "f"), {}, 1)
        self.answer = answer
        self.sent: dict[str, str] = {}

    async def call(self, headers: dict[str, str], body: bytes) -> FunctionAnswer:  # type: ignore[override]
        self.sent = dict(headers)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def answer(*headers: tuple[str, str], status: int = 200, body: bytes = b"done") -> FunctionAnswer:
    return FunctionAnswer(status, list(headers), body)


def text(reply: Reply) -> str:
    return str(json.loads(reply.body)["message"])


async def test_an_invocation_passes_headers_and_body_both_ways() -> None:
    pool = AnsweringPool(answer(("content-type", "text/plain"), ("ce-id", "o")))
    reply = await invoke(pool, [("ce-id", "1"), ("x", "a"), ("x", "b")], b"body")
    assert {name: pool.sent[name] for name in ("ce-id", "x")} == {"ce-id": "1", "x": "a, b"}
    assert (reply.status, reply.body) == (200, b"done")
    assert {("content-type", "text/plain"), ("ce-id", "o")} <= set(reply.headers)
    assert re.fullmatch("[0-9A-F]{26}", dict(reply.headers)["fn-call-id"])


async def test_headers_of_one_connection_are_not_passed() -> None:
    pool = AnsweringPool(answer(("transfer-encoding", "chunked"), ("connection", "close")))
    reply = await invoke(pool, [("connection", "keep-alive"), ("te", "gzip")], b"")
    assert pool.sent.keys() == {"fn-call-id"}
    assert [name for name, _ in reply.headers] == ["fn-call-id"]


@pytest.mark.parametrize("name", ["ce-id", "content-type"])
async def test_a_repeated_header_of_an_event_is_rejected_and_not_called(name: str) -> None:
    pool = AnsweringPool(answer())
    for reply in (
        await invoke(pool, [(name, "1"), (name, "2\x1b[2J")], b""),
        await trigger(pool, "GET", URL, [(name, "1"), (name, "2\x1b[2J")], b""),
    ):
        assert reply.status == 400
        assert f"the header '{name}' is sent twice, as '1' and '2" in text(reply)
        assert text(reply).isprintable()
    assert pool.sent == {}


async def test_a_trigger_passes_method_url_and_prefixed_headers() -> None:
    pool = AnsweringPool(answer())
    await trigger(pool, "PUT", URL, [("content-type", "text/plain"), ("x", "1")], b"")
    pool.sent.pop("fn-call-id")
    assert pool.sent == {
        "content-type": "text/plain",
        "fn-http-h-content-type": "text/plain",
        "fn-http-h-x": "1",
        "fn-intent": "httprequest",
        "fn-http-method": "PUT",
        "fn-http-request-url": URL,
    }


@pytest.mark.parametrize(("chosen", "status"), [("201", 201), ("404", 404), ("99", 200), ("200x", 200)])
async def test_a_triggered_function_may_choose_the_status(chosen: str, status: int) -> None:
    headers = (
        ("fn-http-status", chosen),
        ("fn-http-h-x", "1"),
        ("fn-http-h-connection", "close"),
        ("y", "2"),
    )
    reply = await trigger(AnsweringPool(answer(*headers)), "GET", URL, [], b"")
    assert reply.status == status
    assert dict(reply.headers).keys() == {"x", "fn-call-id"}


@pytest.mark.parametrize(
    ("failure", "status", "reason"),
    [
        (Busy(), 503, "Timed out - server too busy"),
        (NotStarted("exit code 3"), 502, "Container failed to initialize"),
        (CallTimedOut(), 504, "Timed out"),
        (CallFailed("the process ended"), 502, "error receiving function response"),
        (answer(status=502, body=b"Traceback"), 502, "function failed"),
        (answer(status=504), 504, "Timed out"),
        (answer(("x", "a\r\nforged: 1")), 502, "error receiving function response"),
        (answer(("x y", "1")), 502, "error receiving function response"),
    ],
)
async def test_a_failed_call_has_the_status_of_fn(
    failure: FunctionAnswer | Exception, status: int, reason: str
) -> None:
    reply = await invoke(AnsweringPool(failure), [], b"")
    assert reply.status == status
    assert text(reply).startswith(reason)
    assert dict(reply.headers).get("retry-after") == ("1" if status == 503 else None)


async def test_the_text_of_a_failed_function_is_logged_cleaned_and_cut(
    caplog: pytest.LogCaptureFixture,
) -> None:
    await invoke(AnsweringPool(answer(status=502, body=b"\x1b[2Jboom\n" + b"x" * 5000)), [], b"")
    (message,) = caplog.messages
    assert message.startswith("function f failed: ")
    assert "boom" in message
    assert message.isprintable()
    assert len(message) < 600
