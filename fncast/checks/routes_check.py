"""Checks that the routes can be reached, and sends one window through the forecast function to the model."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec

from consumer.assembly import build_function_client, build_routes
from consumer.settings import Settings, SettingsError
from fncast.checks.row import Row
from fncast.series.rfc3339 import format_time
from fncast.wording.count import counted
from interceptor.cloudevents.event import Event
from interceptor.cloudevents.reader import read_event
from interceptor.delivery import Delivery, Record
from interceptor.errors import Rejected, RetriableError
from interceptor.outcome import DeadLetter, Forecast, Headers, Outcome
from interceptor.routes.function_client import FunctionClient
from interceptor.routes.outcomes import UNAVAILABLE_REASON
from interceptor.routes.route import Route, without_secrets
from interceptor.routes.window_event import read_window

REACH_S = 5.0
CALL_S = 20.0  # a cold function starts its process first
READINGS = 10_000  # the largest window that fncast trains; a model uses the last ones that it needs
PERIOD = 24  # steps in a wave of the synthetic window
STEP_S = 60


async def check_routes(settings: Settings, now: datetime) -> list[Row]:
    """The rows about all routes. now: the end of the synthetic window."""
    try:
        routes = build_routes(settings)
        functions = build_function_client(settings)
    except SettingsError as error:
        return [Row("routes", "failed", str(error), "correct it in fncast.toml")]
    try:
        called = _routes_to_call(settings, routes)
        found = await asyncio.gather(
            *(_check_route(functions, route, name in called, now) for name, route in routes.items())
        )
    finally:
        await functions.close()
    return [row for rows in found for row in rows]


def _routes_to_call(settings: Settings, routes: Mapping[str, Route]) -> set[str]:
    """The routes that get a window: only those of the forecast function. Other functions may act on the window."""
    return {name for name, route in routes.items() if route.is_fn and route.target.endswith("/forecast")}


async def _check_route(functions: FunctionClient, route: Route, is_called: bool, now: datetime) -> list[Row]:
    hop = f"route {route.name}"
    target = route.target if route.is_fn else without_secrets(route.target)
    try:
        async with asyncio.timeout(REACH_S):
            await functions.check(route)
    except (RetriableError, TimeoutError) as error:
        reason = str(error) or f"no answer within {REACH_S:g} s"
        fix = (
            f"start `fncast functions functions/{route.target.rpartition('/')[2]}`, or correct [fn] url"
            if route.is_fn
            else "start the function, or correct its url in [routes]"
        )
        row = Row(hop, "failed", f"{target}: {reason}", fix)
        rest = [Row(f"function {route.name}", "not tried", "its route was not reached")] if is_called else []
        return [row, *rest]
    rows = [Row(hop, "ok", f"{target} can be reached")]
    return rows + await _call(functions, route, now) if is_called else rows


async def _call(functions: FunctionClient, route: Route, now: datetime) -> list[Row]:
    """Send one window. The rows about the function and about the model behind it."""
    function, model = f"function {route.name}", f"model behind {route.name}"
    started_s = time.monotonic()
    try:
        async with asyncio.timeout(CALL_S):
            outcome = await _outcome(functions, route, now)
    except (RetriableError, Rejected, TimeoutError) as error:
        reason = str(error) or f"no answer within {CALL_S:g} s"
        fix = "look at the output of `fncast functions`"
        return [Row(function, "failed", reason, fix), Row(model, "not tried", "the function gave no answer")]
    took_ms = (time.monotonic() - started_s) * 1000
    answered = Row(function, "ok", f"it answered a window of {READINGS:,} readings in {took_ms:.0f} ms")
    return [answered, _model_row(model, outcome)]


async def _outcome(functions: FunctionClient, route: Route, now: datetime) -> Outcome | RetriableError:
    """The outcome of a synthetic window. Returns the error if the function answers that the model is unavailable."""
    headers, body = synthetic_window(now)
    delivery = Delivery(Record("", 0, 0, 0, None, body, headers))
    delivery.event, delivery.route = read_event(headers, body), route
    if route.is_tensor:
        read_window(delivery)
    answer = await functions.call(route, [delivery.opened])
    try:
        [result] = answer.results([delivery])
    except RetriableError as error:
        result = error
    if isinstance(result, RetriableError) and UNAVAILABLE_REASON not in str(result):
        raise result
    return result


def _model_row(hop: str, outcome: Outcome | RetriableError) -> Row:
    if isinstance(outcome, RetriableError):
        fix = "start `fncast model-service`, and give the function its address in GP_SERVER_URL"
        return Row(hop, "failed", str(outcome).removeprefix(f"{UNAVAILABLE_REASON}: "), fix)
    if isinstance(outcome, DeadLetter):
        return Row(hop, "failed", f"it rejects the window: {outcome.reason}", "see docs/forecast-function.md")
    if not isinstance(outcome, Forecast):
        return Row(hop, "warning", "the function answered without a forecast")
    event = read_event(outcome.events[0].headers, outcome.events[0].value)
    steps = _steps(event)
    if not steps:
        return Row(hop, "warning", "the forecast has no `values` that can be read")
    name, version = event.text("modelname") or "a model", event.text("modelversion") or "?"
    return Row(hop, "ok", f"{name} version {version} forecast {counted(steps, 'step')}")


def _steps(event: Event) -> int:
    """How many values a forecast has; 0 if they cannot be read."""
    try:
        data = msgspec.json.decode(event.data) if event.data is not None and event.is_json else None
    except (msgspec.MsgspecError, RecursionError):  # a number out of range: the client checks only the syntax
        return 0
    values = data.get("values") if isinstance(data, dict) else None
    return len(values) if isinstance(values, list) else 0


def synthetic_window(now: datetime) -> tuple[Headers, bytes]:
    """Headers and value of an event with a wave that is longer than any model needs."""
    values = [100 + 10 * math.sin(2 * math.pi * step / PERIOD) for step in range(READINGS)]
    start = now.replace(second=0, microsecond=0) - timedelta(seconds=STEP_S * (READINGS - 1))
    data = {"start": format_time(start), "step_s": STEP_S, "values": values}
    attributes = {
        "specversion": "1.0",
        "id": f"check-{int(now.timestamp() * 1000)}",
        "source": "/fncast/check",
        "type": "io.fncast.window.v1",
        "subject": "fncast-check",
        "time": format_time(now.astimezone(UTC)),
        "datacontenttype": "application/json",
    }
    document = msgspec.json.encode({**attributes, "data": data})
    return [("content-type", b"application/cloudevents+json")], document
