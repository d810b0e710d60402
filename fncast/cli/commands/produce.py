"""`fncast produce`: publishes readings, events and this machine's metrics to a Kafka topic."""

from __future__ import annotations

import argparse
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from consumer.settings import Settings
from consumer.settings.inputs import EVENTS
from fncast.cli.arguments.series_files import FILES, add_reading_arguments, check_stdin_once
from fncast.cli.arguments.settings import add_kafka_arguments, settings
from fncast.cli.records import produced_records
from fncast.cli.records.produced_records import FORMATS, READINGS, WINDOWS, is_event_file, is_live
from fncast.failure import Failure
from fncast.produce.events import InvalidEventText
from fncast.produce.publisher import PublishError, TopicPublisher
from fncast.produce.rate_limiter import RateLimiter
from fncast.produce.windows import SlidingWindow
from fncast.series.csv.error import CsvError
from fncast.wording.count import counted

LAST_FLUSH_S = 3.0  # after Ctrl-C a command must end within 5 s
# RFC 3986: the characters of a URI-reference.
URI_REFERENCE = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")

EXAMPLES = """
fncast produce samples/web-shop.csv
fncast produce samples/web-shop.csv --every 12 --rate 50
fncast produce --machine --bootstrap-servers kafka:9092
fncast produce --machine --format telegraf-json --topic telegraf
fncast produce ce.json --mode structured
jq -c . ce.json | fncast produce -
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help=f"a file of readings ({FILES}), a .json file with one CloudEvent, or CloudEvents as JSON lines on"
        " standard input",
    )
    _add_feed_arguments(parser)
    _add_record_arguments(parser)
    # For the demo: a source that is restarted continues from the start of the demo, in seconds since 1970.
    parser.add_argument("--since", type=float, help=argparse.SUPPRESS)
    add_kafka_arguments(parser)
    add_reading_arguments(parser)


def _add_feed_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the feeds that publish until Ctrl-C."""
    parser.add_argument(
        "--machine", action="store_true", help="also publish this machine's metrics, until Ctrl-C"
    )
    parser.add_argument(
        "--shop",
        action="store_true",
        help="also publish the orders of a generated web shop and the values of its servers, which have an incident"
        " now and then; one second shows five hours of the shop; until Ctrl-C",
    )
    parser.add_argument(
        "--replay",
        action="store_true",
        help="publish the files of readings as live data, again and again, until Ctrl-C",
    )


def _add_record_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say what a record holds, and where and how fast the records go."""
    parser.add_argument(
        "--topic", help="the topic to publish to (default: the first of the settings' input_topics, metrics)"
    )
    parser.add_argument(
        "--destination",
        default=None,
        help="the route of the events (default: forecast; events from JSON keep their own)",
    )
    parser.add_argument(
        "--format",
        choices=FORMATS,
        default=WINDOWS,
        help="what a record holds: a CloudEvent with a window, a CloudEvent with one reading, or one reading in"
        " Telegraf's JSON (default: %(default)s)",
    )
    parser.add_argument(
        "--window", type=int, default=48, metavar="N", help="readings in an event (default: %(default)s)"
    )
    parser.add_argument(
        "--every",
        type=int,
        default=1,
        metavar="N",
        help="publish an event every N readings (default: %(default)s)",
    )
    parser.add_argument(
        "--rate", type=float, metavar="N", help="at most N events a second (default: no limit)"
    )
    parser.add_argument(
        "--mode",
        choices=("binary", "structured"),
        default="binary",
        help="where an event's attributes are: in the record's headers, or in its value (default: %(default)s)",
    )
    parser.add_argument(
        "--source", default=None, help="the CloudEvents source of the windows (default: fncast/produce/…)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Publish all events. Returns 0 once the broker has acknowledged all of them. Raises Failure."""
    _check(arguments)
    configured = settings(arguments)
    kafka = configured.kafka
    topic = arguments.topic or _default_topic(arguments, configured)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        pace = RateLimiter(arguments.rate)
        records = produced_records.records(arguments)
        record = next(records, None)  # report wrong input before connecting to the broker
        publisher = TopicPublisher(kafka.client_properties(), topic, partitioner=kafka.partitioner)
        publisher.connect()
        with _summary(publisher, "event" if arguments.format == WINDOWS else "reading"):
            while record is not None:
                pace.wait()
                publisher.publish(record)
                record = next(records, None)
            publisher.flush()
    except (CsvError, InvalidEventText, PublishError, ValueError) as error:
        raise Failure(str(error)) from None
    except KeyboardInterrupt:
        return 0 if is_live(arguments) else 130  # Ctrl-C ends live feeds normally, but cuts files short
    return 0


@contextmanager
def _summary(publisher: TopicPublisher, noun: str) -> Iterator[None]:
    """At the end of the block, also after an error or Ctrl-C, print how many records the broker has.

    noun: what a record is.
    """
    started_s = time.monotonic()
    try:
        yield
    finally:
        with suppress(PublishError):  # report the error that ended the block instead
            publisher.flush(LAST_FLUSH_S)
        elapsed_s = time.monotonic() - started_s
        print(
            f"published {counted(publisher.delivered, noun)} to {publisher.topic} in {elapsed_s:.1f} s",
            file=sys.stderr,
        )


def _check(arguments: argparse.Namespace) -> None:
    if not (arguments.files or arguments.machine or arguments.shop):
        raise Failure("nothing to publish: pass a file, - for standard input, --machine or --shop")
    if arguments.source is not None and not URI_REFERENCE.fullmatch(arguments.source):
        raise Failure(f"--source {arguments.source!r} is not a URI-reference")
    if arguments.replay and all(is_event_file(file) for file in arguments.files):
        raise Failure("--replay needs a file of readings; pass one")
    check_stdin_once(arguments.files)
    for file in arguments.files:
        if arguments.format != WINDOWS and is_event_file(file):
            raise Failure(f"{file}: --format {arguments.format} needs files of readings, not events")
    try:
        SlidingWindow(arguments.window, arguments.every)
    except ValueError as error:
        raise Failure(str(error)) from None


def _default_topic(arguments: argparse.Namespace, configured: Settings) -> str:
    """The topic of the settings for this format. Raises Failure if there is none."""
    if arguments.format == WINDOWS:
        return configured.kafka.input_topics[0]
    name = EVENTS if arguments.format == READINGS else arguments.format
    found = [entry.topic for entry in configured.inputs if entry.format == name]
    if not found:
        raise Failure(
            f"--format {arguments.format} needs --topic: no [[inputs]] of the settings has format = {name!r}"
        )
    return found[0]
