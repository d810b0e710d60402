"""Routes, function and model, with a function that answers as a test wants."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

import pytest
from aiohttp import web
from fake_function import Function, batch, forecast

from consumer.settings import FnSettings, RouteSettings, Settings
from fncast.checks import routes_check
from fncast.checks.routes_check import READINGS, check_routes
from model_service.training.settings import MAX_WINDOW

NOW = datetime(2026, 11, 28, 12, 30, 15, tzinfo=UTC)


@pytest.fixture
def function():
    function = Function()
    yield function
    function.close()


def settings(url: str, **routes: str | RouteSettings) -> Settings:
    return Settings(fn=FnSettings(url=url), routes=routes or {"forecast": "fn:fncast/forecast"})


async def results(configured: Settings) -> dict[str, str]:
    return {row.hop: row.result for row in await check_routes(configured, NOW)}


async def test_a_window_goes_through_the_function_to_the_model(function):
    sent = []

    async def answers(events):
        sent.extend(events)
        return batch([forecast(event) | {"modelname": "shop", "modelversion": "3"} for event in events])

    function.behaviour = answers
    rows = await check_routes(settings(function.url), NOW)
    assert [(row.hop, row.result) for row in rows] == [
        ("route forecast", "ok"),
        ("function forecast", "ok"),
        ("model behind forecast", "ok"),
    ]
    assert rows[2].detail == "shop version 3 forecast 1 step"
    [event] = sent
    assert len(event["data"]["values"]) == READINGS >= MAX_WINDOW
    assert event["data"]["start"] == "2026-11-21T13:51:00Z"  # so that the window ends in the current minute


async def test_a_forecast_with_a_number_out_of_range_is_a_row(function):
    async def answers(events):
        answer = batch([forecast(events[0]) | {"data": {"values": [12345.5]}}])
        answer.body = bytes(answer.body).replace(b"12345.5", b"1e999")
        return answer

    function.behaviour = answers
    rows = await check_routes(settings(function.url), NOW)
    assert (rows[2].result, rows[2].detail) == ("warning", "the forecast has no `values` that can be read")


async def test_a_model_service_that_is_down_is_not_the_functions_fault(function):
    async def unavailable(events):
        answer = forecast(events[0]) | {
            "type": "io.fncast.unavailable.v1",
            "data": {"reason": "no model service"},
        }
        return batch([answer])

    function.behaviour = unavailable
    rows = await check_routes(settings(function.url), NOW)
    assert (rows[1].result, rows[2].result) == ("ok", "failed")
    assert rows[2].detail == "no model service"
    assert "GP_SERVER_URL" in rows[2].fix


async def test_a_function_that_fails_is_a_row(function):
    async def fails(events):
        return web.Response(status=502, body=json.dumps({"message": "it crashed"}).encode())

    function.behaviour = fails
    assert await results(settings(function.url)) == {
        "route forecast": "ok",
        "function forecast": "failed",
        "model behind forecast": "not tried",
    }


async def test_a_function_that_hangs_is_a_row(function, monkeypatch):
    async def hangs(events):
        await asyncio.Event().wait()

    function.behaviour = hangs
    monkeypatch.setattr(routes_check, "CALL_S", 0.3)
    rows = await check_routes(settings(function.url), NOW)
    assert (rows[1].result, rows[1].detail) == ("failed", "no answer within 0.3 s")


async def test_a_function_that_is_not_there_is_a_row_for_each_route(function):
    function.stop()
    configured = settings(
        function.url,
        forecast="fn:fncast/forecast",
        pager=RouteSettings("http://127.0.0.1:1/page"),
        other="fn:app/other",
    )
    assert await results(configured) == {
        "route forecast": "failed",
        "function forecast": "not tried",
        "route pager": "failed",
        "route other": "failed",
    }
    fixes = {row.hop: row.fix for row in await check_routes(configured, NOW)}
    assert fixes["route forecast"].startswith("start `fncast functions functions/forecast`")
    assert fixes["route other"].startswith("start `fncast functions functions/other`")


async def test_functions_of_others_are_not_called(function):
    configured = settings(function.url, pager=RouteSettings(f"{function.url}/foreign"), other="fn:app/other")
    assert await results(configured) == {"route pager": "ok", "route other": "ok"}
    assert function.calls == []


async def test_a_token_file_that_is_missing_is_a_row(tmp_path):
    configured = Settings(fn=FnSettings(token_file=str(tmp_path / "none")))
    assert await results(configured) == {"routes": "failed"}
