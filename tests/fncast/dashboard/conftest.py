"""Fixtures: the page, its state, and a series of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from fncast.dashboard.page import Page
from fncast.dashboard.series.series_view import SeriesView
from fncast.dashboard.state import PageState
from fncast.dashboard.topics import PageTopics
from tests.fncast.dashboard.page_calls import Records


@pytest.fixture
def page_state() -> PageState:
    return PageState(PageTopics(), 0.0)


@pytest.fixture
def view() -> SeriesView:
    return SeriesView("cpu")


@pytest.fixture
def source() -> Records:
    return Records()


@pytest.fixture
async def page(source: Records) -> AsyncIterator[Page]:
    """A page that has started."""
    app = Page(source, PageState(PageTopics(), 0.0))
    to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    from_app: asyncio.Queue[Any] = asyncio.Queue()
    task = asyncio.create_task(app({"type": "lifespan"}, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    assert (await from_app.get())["type"] == "lifespan.startup.complete"
    yield app
    await to_app.put({"type": "lifespan.shutdown"})
    assert (await from_app.get())["type"] == "lifespan.shutdown.complete"
    await task
    assert not source.running
