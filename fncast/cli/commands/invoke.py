"""`fncast invoke`: sends one event to a function, without Kafka."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any

import orjson

from consumer.assembly import build_function_client, build_routes
from consumer.settings import Settings, SettingsError
from fncast.cli.arguments.settings import add_config_argument, settings
from fncast.failure import Failure
from fncast.foreign_text import clean, escaped
from fncast.wording.json import describe
from interceptor.cloudevents.answers import REJECTED_TYPE, UNAVAILABLE_TYPE
from interceptor.cloudevents.reader import read_event
from interceptor.delivery import Delivery, Record
from interceptor.errors import InvalidEvent, Rejected, RetriableError
from interceptor.outcome import DeadLetter, Forecast, Headers
from interceptor.routes.client import Answer, EventsAnswer
from interceptor.routes.window_event import read_window

ERROR_EVENTS = {
    REJECTED_TYPE: "the function rejects the event",
    UNAVAILABLE_TYPE: "the function is unavailable",
}

MAX_REASON = 1024  # characters shown
EXAMPLES = """
fncast invoke forecast ce.json
jq -c . ce.json | fncast invoke forecast -
FNCAST_FN__URL=http://fnserver:8080 fncast invoke forecast ce.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_argument(parser)
    parser.add_argument(
        "destination", metavar="DESTINATION", help="a route of the settings, such as forecast"
    )
    parser.add_argument("event", metavar="FILE", help="a CloudEvent as JSON; - reads it from standard input")


def run(arguments: argparse.Namespace) -> int:
    """Send the event, and print the events of the answer. Returns the exit code. Raises Failure."""
    configured = settings(arguments)
    try:
        body = sys.stdin.buffer.read() if arguments.event == "-" else Path(arguments.event).read_bytes()
    except OSError as error:
        raise Failure(f"{arguments.event}: {error.strerror}") from None
    try:
        events = asyncio.run(invoke(configured, arguments.destination, body))
    except SettingsError as error:
        raise Failure(str(error)) from None
    except InvalidEvent as error:
        raise Failure(f"{arguments.event}: {error}") from None
    except (RetriableError, Rejected) as error:
        raise Failure(str(error)) from None
    for event in events:
        print(line(event), flush=True)
        if problem := ERROR_EVENTS.get(str(event.get("type"))):
            raise Failure(f"{problem}: {reason_of(event)}")
    return 0


def line(event: dict[str, Any]) -> str:
    """The event as JSON on one line. Raises Failure if it is nested too deeply."""
    try:
        return escaped(orjson.dumps(event).decode())
    except orjson.JSONEncodeError as error:
        raise Failure(f"the function's answer cannot be shown as JSON: {error}") from None


def reason_of(event: dict[str, Any]) -> str:
    """The reason that the function gives in an error event."""
    data = event.get("data")
    reason = data.get("reason") if isinstance(data, dict) else None
    return clean(str(reason or "no reason given"), MAX_REASON)


def events_of(answer: EventsAnswer) -> list[dict[str, Any]]:
    """The events of the answer. Raises Failure if it holds anything else."""
    if answer.body is None:
        return []
    try:
        content = orjson.loads(answer.body)
    except orjson.JSONDecodeError as error:
        raise Failure(f"the function's answer is not JSON: {describe(error)}") from None
    events = content if isinstance(content, list) else [content]
    if not all(isinstance(event, dict) for event in events):
        raise Failure("the function's answer is not a CloudEvent or a list of CloudEvents")
    return events


def forecasts_of(answer: Answer, delivery: Delivery) -> list[dict[str, Any]]:
    """The forecasts in the answer to a tensor call. Raises Failure for a rejection, RetriableError."""
    (result,) = answer.results([delivery])
    if isinstance(result, RetriableError):
        raise result
    if isinstance(result, DeadLetter):
        raise Failure(f"{ERROR_EVENTS[REJECTED_TYPE]}: {clean(result.reason, MAX_REASON)}")
    outputs = result.events if isinstance(result, Forecast) else []
    return [orjson.loads(read_event(output.headers, output.value).to_json()) for output in outputs]


async def invoke(configured: Settings, destination: str, body: bytes) -> list[dict[str, Any]]:
    """Send the structured event `body` to the function of `destination`. Returns the events of the answer.

    Raises InvalidEvent, SettingsError, RetriableError, Rejected, Failure.
    """
    route = build_routes(configured).get(destination)
    if route is None:
        raise SettingsError(
            f"no route {destination!r}; the routes are {', '.join(sorted(configured.routes)) or 'none'}"
        )
    headers: Headers = [("content-type", b"application/cloudevents+json")]
    delivery = Delivery(Record("", 0, 0, 0, None, body, headers))
    delivery.event, delivery.route = read_event(headers, body), route
    if route.is_tensor and not read_window(delivery):
        raise InvalidEvent(delivery.outcome.reason if isinstance(delivery.outcome, DeadLetter) else "")
    functions = build_function_client(configured)
    try:
        answer = await functions.call(route, [delivery.opened])
    finally:
        await functions.close()
    return events_of(answer) if isinstance(answer, EventsAnswer) else forecasts_of(answer, delivery)
