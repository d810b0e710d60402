"""The page's HTTP interface: responses and the live stream."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import pytest

from fncast.dashboard import stream as streams
from fncast.dashboard.kafka.broker_state import BrokerState
from fncast.dashboard.page import Page
from fncast.dashboard.state import PageState
from fncast.dashboard.topics import PageTopics
from tests.fncast.dashboard.page_calls import Call, Records, expect_ok, get, next_event


async def test_a_cancelled_lifespan_is_not_reported_as_a_failure(source: Records) -> None:
    app = Page(source, PageState(PageTopics(), 0.0))
    to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    from_app: asyncio.Queue[Any] = asyncio.Queue()
    task = asyncio.create_task(app({"type": "lifespan"}, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    assert (await from_app.get())["type"] == "lifespan.startup.complete"
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    sent = [from_app.get_nowait()["type"] for _ in range(from_app.qsize())]
    assert "lifespan.shutdown.failed" not in sent


async def test_page_and_files_have_a_strict_security_policy(page: Page) -> None:
    status, headers, body = await get(page, "/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    for path in ("page.js", "page.css", "vendor/uplot/uPlot.iife.min.js", "vendor/uplot/LICENSE"):
        status, headers, content = await get(page, f"/static/{path}")
        assert status == 200
        assert content
        assert "default-src 'none'" in headers["content-security-policy"]
    assert b"http://" not in body.replace(b"http://www.w3.org/2000/svg", b"").replace(b"xmlns='http:", b"")
    assert b"https://" not in body


async def test_an_unchanged_file_is_not_sent_again(page: Page) -> None:
    _, headers, _ = await get(page, "/static/page.js")
    status, _, body = await get(page, "/static/page.js", headers={"if-none-match": headers["etag"]})
    assert (status, body) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/static/../page.py", "/static/", "/static/nothing", "/x", "//", "/static/%2e%2e"]
)
async def test_other_paths_are_not_found(page: Page, path: str) -> None:
    assert (await get(page, path))[0] == 404


async def test_only_get_and_head_are_allowed(page: Page) -> None:
    assert (await get(page, "/", method="POST"))[0] == 405
    status, headers, body = await get(page, "/", method="HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) > 0


async def test_readyz_reports_the_broker_and_healthz_the_page(page: Page, source: Records) -> None:
    assert (await get(page, "/readyz"))[0] == 200
    source.state = BrokerState(False, 1.0, "connection refused")
    status, _, body = await get(page, "/readyz")
    assert (status, body) == (503, b"waiting for the broker: connection refused\n")
    assert (await get(page, "/healthz"))[0] == 200


async def test_the_stream_sends_a_snapshot_and_then_changes(page: Page, source: Records, make: Any) -> None:
    call = Call(page, "/events")
    start = await call.next()
    assert (b"content-type", b"text/event-stream") in start["headers"]
    assert (await next_event(call, "snapshot"))["series"] == []
    source.batches.append([make.window([1, 2, 3])])
    while "series" not in (changes := await next_event(call, "changes")):
        pass
    assert changes["series"][0]["actual"] == [1, 2, 3]
    status, _, body = await get(page, "/state")
    assert (status, json.loads(body)["series"][0]["name"]) == (200, "cpu")
    call.disconnect()
    while not call.task.done():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(call.sent.get(), 0.05)
    await call.task


async def test_streams_end_when_the_server_stops(page: Page) -> None:
    call = Call(page, "/events")
    await expect_ok(call)
    page.close_streams()
    while (await call.next()).get("more_body"):
        pass
    await asyncio.wait_for(call.task, 10)


async def test_too_many_pages_are_rejected(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "MAX_CLIENTS", 1)
    first = Call(page, "/events")
    await expect_ok(first)
    status, headers, _ = await get(page, "/events")
    assert (status, headers["retry-after"]) == (503, "10")
    first.disconnect()
    while not first.task.done():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(first.sent.get(), 0.05)
