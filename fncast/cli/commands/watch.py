"""`fncast watch`: prints new forecasts, one line each."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from datetime import datetime

from fncast.cli.arguments.settings import add_kafka_arguments, kafka_settings
from fncast.dashboard.console import ConsoleFormatter
from fncast.dashboard.events.event import NotAnEvent, parse
from fncast.dashboard.events.fields import UnreadableData
from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.kafka.broker_state import BrokerState
from fncast.dashboard.kafka.reader import TopicReader
from fncast.dashboard.kafka.reader_client import InvalidProperties
from fncast.failure import Failure
from fncast.foreign_text import clean, escaped

TAKE_S = 0.2
# Connecting may take this long before a status line is printed.
QUIET_S = 2.0
MAX_PROBLEM = 300  # characters

EXAMPLES = """
fncast watch
fncast watch --from-beginning --max 10
fncast watch --json | jq .data.values
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_kafka_arguments(parser)
    parser.add_argument("--topic", help="the topic to read (default: the settings' output_topic, forecasts)")
    parser.add_argument(
        "--json", action="store_true", help="print each forecast as one line: its CloudEvent in JSON"
    )
    parser.add_argument(
        "--max", type=_positive, metavar="N", help="stop after N forecasts (default: run until Ctrl-C)"
    )
    parser.add_argument(
        "--from-beginning",
        action="store_true",
        help="print all records of the topic, not only new ones",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print forecasts until SIGINT, SIGTERM or --max. Returns the exit code. Raises Failure."""
    kafka = kafka_settings(arguments)
    topic = arguments.topic or kafka.output_topic
    try:
        reader = TopicReader(kafka.client_properties(), [topic], None if arguments.from_beginning else 0)
    except InvalidProperties as error:
        raise Failure(f"the Kafka client rejects its settings: {error}") from None
    signal.signal(signal.SIGTERM, _interrupt)
    reader.start()
    try:
        _follow(reader, kafka.bootstrap_servers, arguments.max, arguments.json)
    except KeyboardInterrupt:
        pass
    finally:
        reader.close()
    return 0


def _follow(reader: TopicReader, address: str, limit: int | None, as_json: bool) -> None:
    """Print forecasts and changes of the connection until `limit` forecasts were printed."""
    formatter, printed = ConsoleFormatter(), 0
    reported: object = None
    started_s = time.monotonic()
    while limit is None or printed < limit:
        for record in reader.take(TAKE_S):
            text = _line(record, formatter, as_json)
            if text is None:
                continue
            print(text, flush=True)
            printed += 1
            if printed == limit:
                return
        state = reader.state
        status = state.connected, state.missing  # without the error's text, which differs each time
        if status != reported and time.monotonic() - started_s > QUIET_S:
            reported = status
            print(status_text(state, address), file=sys.stderr, flush=True)


def _line(record: ReceivedRecord, formatter: ConsoleFormatter, as_json: bool) -> str | None:
    """The text of a record. None for a record that is not an event; it is reported on stderr."""
    try:
        event = parse(record)
        return escaped(event.document().decode()) if as_json else formatter.format(event, record.timestamp_s)
    except (NotAnEvent, UnreadableData) as error:
        place = f"{record.topic}/{record.partition}@{record.offset}"
        print(f"{place} cannot be shown: {clean(str(error), MAX_PROBLEM)}", file=sys.stderr, flush=True)
        return None


def status_text(state: BrokerState, address: str) -> str:
    """The state of the connection: what the reader waits for, or that it reads."""
    if not state.connected:
        since = datetime.fromtimestamp(state.since_s).strftime("%H:%M:%S")
        reason = f" ({clean(state.problem, MAX_PROBLEM)})" if state.problem else ""
        return f"waiting for the broker {address} since {since}{reason}"
    if state.missing:
        return "; ".join(
            f"waiting: the topic {clean(topic, MAX_PROBLEM)} {reason}" for topic, reason in state.missing
        )
    return "reading"


def _positive(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of 1 or more, not {text!r}")
    return number


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
