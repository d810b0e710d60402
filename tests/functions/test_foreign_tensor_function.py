"""Tensor calls of an HTTP function of somebody else: wrong answers, and rows that it rejects or delays."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import numpy as np
import orjson
import pytest
from aiohttp import web

from interceptor.builtin.calls import Limits
from interceptor.builtin.deliver import Deliver
from interceptor.delivery import Batch
from interceptor.outcome import DeadLetter, Forecast
from interceptor.routes.function_client import FunctionClient
from interceptor.routes.route import Route
from model_service.protocols.tensor_calls import (
    CONTENT_TYPE,
    FORECASTS_TYPE,
    ForecastRows,
    decode_windows,
    encode_forecasts,
)
from tests.functions.window_deliveries import data, ended, window
from tests.interceptor.deliveries import settle

pytestmark = pytest.mark.integration


Answer = Callable[[np.ndarray[Any, Any]], web.Response]


@pytest.fixture
async def foreign() -> AsyncIterator[Callable[[Answer], Awaitable[Route]]]:
    """foreign(answer): the route to an HTTP function that answers the windows of a call."""
    runners: list[web.AppRunner] = []

    async def start(answer: Answer) -> Route:
        async def handle(request: web.Request) -> web.Response:
            assert request.headers["ce-type"] == "io.fncast.windows.v1"
            return answer(decode_windows(await request.read()).values)

        app = web.Application()
        app.router.add_post("/", handle)
        runners.append(runner := web.AppRunner(app))
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        return Route("foreign", f"http://127.0.0.1:{port}/", batch=True, encoding="graphpipe")

    yield start
    for runner in runners:
        await runner.cleanup()


def answered(rows: ForecastRows | bytes) -> web.Response:
    headers = {
        "ce-specversion": "1.0",
        "ce-id": "1",
        "ce-source": "/foreign",
        "ce-type": FORECASTS_TYPE,
        "ce-quantiles": "0.5",
    }
    body = rows if isinstance(rows, bytes) else encode_forecasts(rows)
    return web.Response(body=body, content_type=CONTENT_TYPE, headers=headers)


def scored(windows: np.ndarray[Any, Any]) -> ForecastRows:
    return ForecastRows(windows[:, -1:, None].astype(np.float32), [""] * len(windows))


BAD = 666.0


def _shape(windows: np.ndarray[Any, Any]) -> web.Response:
    return answered(ForecastRows(np.zeros((len(windows) + 1, 1, 1)), [""] * len(windows)))


def _reasons(windows: np.ndarray[Any, Any]) -> web.Response:
    return answered(ForecastRows(np.zeros((len(windows), 1, 1)), [""] * (len(windows) + 1)))


def _not_finite(windows: np.ndarray[Any, Any]) -> web.Response:
    rows = scored(windows)
    rows.values[windows[:, -1] == BAD] = np.nan
    return answered(rows)


def _garbage(windows: np.ndarray[Any, Any]) -> web.Response:
    return answered(b"\x00\xff" * 500)


def _huge(windows: np.ndarray[Any, Any]) -> web.Response:
    return answered(bytes(17 * 1024 * 1024))


def _not_a_tensor(windows: np.ndarray[Any, Any]) -> web.Response:
    return web.Response(body=b"[]", content_type="application/cloudevents-batch+json")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (_shape, "forecast is float64 [2, 1, 1] instead of floats [1, horizon, quantiles]"),
        (_reasons, "reasons is object [2] instead of [1] strings"),
        (_not_finite, "row 0 has neither a finite forecast nor a reason"),
        (_garbage, "invalid answer"),
        (_huge, "the answer is larger than 16777216 bytes"),
        (_not_a_tensor, 'set encoding = "json" in [routes.foreign]'),
    ],
)
async def test_an_event_that_the_function_cannot_answer_is_found(
    foreign: Callable[[Answer], Awaitable[Route]], fault: Answer, reason: str
) -> None:
    """The bad window is alone in the dead letters; the others are forecast."""
    route = await foreign(lambda windows: fault(windows) if BAD in windows else answered(scored(windows)))
    deliver = Deliver(FunctionClient("http://127.0.0.1:1", 10, 4), Limits(max_attempts=2))
    deliveries = [window(place, data([1, 2, BAD if place == 5 else place]), route) for place in range(8)]
    await settle(deliver, Batch(deliveries))
    await deliver.close()
    ends = ended(deliveries)
    assert reason in ends.pop(5)
    assert all(isinstance(end, list) for end in ends)
    assert orjson.loads(ends[3][0][1])["values"] == [3]


async def test_a_function_may_reject_or_delay_single_rows(
    foreign: Callable[[Answer], Awaitable[Route]],
) -> None:
    calls: list[int] = []

    def answer(windows: np.ndarray[Any, Any]) -> web.Response:
        calls.append(len(windows))
        rows = scored(windows)
        rows.retry_after_s = np.full(len(windows), np.nan)
        rows.filled = [0] * len(windows)
        for place, last in enumerate(windows[:, -1]):
            if last == BAD:
                rows.reasons[place] = "not this one"
            elif last == 1 and len(calls) == 1:
                rows.reasons[place], rows.retry_after_s[place] = "later", 0.0
        return answered(rows)

    deliver = Deliver(FunctionClient("http://127.0.0.1:1", 10, 4))
    route = await foreign(answer)
    deliveries = [window(place, data([5, last]), route) for place, last in enumerate((0, 1, BAD, 3))]
    await settle(deliver, Batch(deliveries))
    await deliver.close()
    assert ended(deliveries)[2] == "not this one"
    assert [type(delivery.outcome) for delivery in deliveries] == [Forecast, Forecast, DeadLetter, Forecast]
    assert calls == [4, 1]
