"""`fncast watch`: forecasts as they come, one line each."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from datetime import datetime

from fncast.cli.kafka import add_kafka_arguments, kafka_settings
from fncast.dashboard.event import NotAnEvent, parse
from fncast.dashboard.lines import Lines
from fncast.dashboard.reader import BrokerState, InvalidProperties, Reader
from fncast.dashboard.readings import UnreadableData
from fncast.dashboard.record import Record
from fncast.failure import Failure
from fncast.foreign_text import clean, escaped

TAKE_S = 0.2
# A broker that answers within this is not worth a word.
PATIENCE_S = 2.0
MAX_PROBLEM = 300  # characters

EXAMPLES = """
fncast watch
fncast watch --from-beginning --max 10
fncast watch --json | jq .data.values
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_kafka_arguments(parser)
    parser.add_argument("--topic", help="the topic to read (default: the settings' output_topic, forecasts)")
    parser.add_argument("--json", action="store_true", help="one CloudEvent in JSON a line")
    parser.add_argument("--max", type=_positive, metavar="N", help="stop after N forecasts")
    parser.add_argument(
        "--from-beginning",
        action="store_true",
        help="all that the topic holds, not only what comes from now on",
    )


def run(arguments: argparse.Namespace) -> int:
    kafka = kafka_settings(arguments)
    topic = arguments.topic or kafka.output_topic
    try:
        reader = Reader(kafka.client_properties(), [topic], None if arguments.from_beginning else 0)
    except InvalidProperties as error:
        raise Failure(f"Kafka's client refuses its settings: {error}") from None
    signal.signal(signal.SIGTERM, _interrupt)
    reader.start()
    try:
        _follow(reader, kafka.bootstrap_servers, arguments.max, arguments.json)
    except KeyboardInterrupt:
        pass
    finally:
        reader.close()
    return 0


def _follow(reader: Reader, address: str, limit: int | None, as_json: bool) -> None:
    """Print until `limit` forecasts were printed."""
    lines, printed = Lines(), 0
    told: object = None
    started_s = time.monotonic()
    while limit is None or printed < limit:
        for record in reader.take(TAKE_S):
            text = _line(record, lines, as_json)
            if text is None:
                continue
            print(text, flush=True)
            printed += 1
            if printed == limit:
                return
        state = reader.state
        news = state.connected, state.missing  # not the problem: librdkafka words it anew each time
        if news != told and time.monotonic() - started_s > PATIENCE_S:
            told = news
            print(_word(state, address), file=sys.stderr, flush=True)


def _line(record: Record, lines: Lines, as_json: bool) -> str | None:
    """The text of a record; None for one that is no forecast, which is said on stderr."""
    try:
        event = parse(record)
        return escaped(event.document().decode()) if as_json else lines.line(event, record.timestamp_s)
    except (NotAnEvent, UnreadableData) as error:
        place = f"{record.topic}/{record.partition}@{record.offset}"
        print(f"{place} cannot be shown: {clean(str(error), MAX_PROBLEM)}", file=sys.stderr, flush=True)
        return None


def _word(state: BrokerState, address: str) -> str:
    """What the reader waits for, if anything."""
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
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
