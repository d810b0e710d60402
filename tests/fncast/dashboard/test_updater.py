"""The page's state stays current."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.page import Page
from fncast.dashboard.state import PageState
from fncast.dashboard.topics import PageTopics
from fncast.dashboard.updater import PageUpdater
from tests.fncast.dashboard.page_calls import Records, get


async def test_updates_continue_after_an_unexpected_error(
    page: Page, source: Records, make: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("fncast.dashboard.updater.RESTART_S", (0.05,))
    failing = True

    def take(timeout_s: float = 0.0) -> list[ReceivedRecord]:
        if failing:
            raise RuntimeError("an \x1b[2Jinternal error")
        return Records.take(source)

    monkeypatch.setattr(source, "take", take)
    while (await get(page, "/healthz"))[0] == 200:
        pass
    assert "an \ufffdinternal error" in (await get(page, "/healthz"))[2].decode()
    assert "does not update" in caplog.text
    status, _, body = await get(page, "/readyz")
    assert (status, "an \ufffdinternal error" in body.decode()) == (503, True)
    failing = False
    while (await get(page, "/healthz"))[0] != 200:
        pass


async def test_updates_continue_after_the_clock_was_set_back(source: Records) -> None:
    now_s = 10_000.0
    published: asyncio.Queue[bytes] = asyncio.Queue()
    updater = PageUpdater(source, PageState(PageTopics(), now_s), lambda: now_s)
    async with asyncio.timeout(10), updater.running(published.put_nowait):
        await published.get()
        now_s -= 3600.0
        await published.get()
