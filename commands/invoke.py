"""`fncast invoke`: one event through a function, without Kafka."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from commands.kafka import add_kafka_arguments, settings
from consumer.service import client, routes
from consumer.settings import Settings, SettingsError
from fncast import Failure
from interceptor.errors import InvalidEvent, Refused, RetriableError
from interceptor.event import read_event
from interceptor.function_client import Answer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_kafka_arguments(parser)
    parser.add_argument(
        "destination", metavar="DESTINATION", help="a route of the settings, such as forecast"
    )
    parser.add_argument("event", metavar="FILE", help="a CloudEvent as JSON; - reads it from standard input")


def run(arguments: argparse.Namespace) -> int:
    told = settings(arguments)
    try:
        body = sys.stdin.buffer.read() if arguments.event == "-" else Path(arguments.event).read_bytes()
    except OSError as error:
        raise Failure(f"{arguments.event}: {error.strerror}") from None
    try:
        answer = asyncio.run(invoke(told, arguments.destination, body))
    except SettingsError as error:
        raise Failure(str(error)) from None
    except InvalidEvent as error:
        raise Failure(f"{arguments.event}: {error}") from None
    except (RetriableError, Refused) as error:
        raise Failure(str(error)) from None
    if answer.body is not None:
        sys.stdout.buffer.write(answer.body + b"\n")
    return 0


async def invoke(told: Settings, destination: str, body: bytes) -> Answer:
    """Send the structured event `body` to the function of `destination`.

    Raises InvalidEvent, SettingsError, RetriableError, Refused.
    """
    route = routes(told).get(destination)
    if route is None:
        raise SettingsError(f"no route {destination!r}; routes here: {', '.join(sorted(told.routes))}")
    event = read_event([("content-type", b"application/cloudevents+json")], body)
    functions = client(told)
    try:
        return await functions.call(route, [event])
    finally:
        await functions.close()
