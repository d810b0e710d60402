"""`fncast produce`: publishes readings, events and this machine's metrics to a Kafka topic, as CloudEvents."""

from __future__ import annotations

import argparse
import re
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from typing import cast
from urllib.parse import quote

from cloudevents.core.v1.event import CloudEvent

from fncast.cli.kafka import add_kafka_arguments, kafka_settings
from fncast.cli.series_files import FILES, add_reading_arguments, check_stdin_once, read_file
from fncast.failure import Failure
from fncast.produce.events import InvalidEventText, build_window_event, parse_event, to_kafka_record
from fncast.produce.live import live_windows
from fncast.produce.machine import MachineFeed
from fncast.produce.publisher import PublishError, TopicPublisher
from fncast.produce.rate_limiter import RateLimiter
from fncast.produce.reading import Feed
from fncast.produce.replay import ReplayFeed, readings
from fncast.produce.shop import ShopFeed
from fncast.produce.windows import SlidingWindow
from fncast.series.csv_error import CsvError
from fncast.series.csv_source import is_series_file
from fncast.series.series import Series

# Far above the usual record limit of a broker: a larger line is a mistake.
MAX_EVENT_BYTES = 16_000_000
LAST_FLUSH_S = 3.0  # after Ctrl-C a command must end within 5 s
# RFC 3986: the characters of a URI-reference.
URI_REFERENCE = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")

EXAMPLES = """
fncast produce samples/web-shop.csv
fncast produce samples/web-shop.csv --every 12 --rate 50
fncast produce --machine --bootstrap-servers kafka:9092
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
    parser.add_argument(
        "--machine", action="store_true", help="also publish this machine's metrics, until Ctrl-C"
    )
    parser.add_argument(
        "--shop",
        action="store_true",
        help="also publish the readings of a generated web shop, faster than real time, until Ctrl-C",
    )
    parser.add_argument(
        "--replay",
        action="store_true",
        help="publish the files of readings as live data, again and again, until Ctrl-C",
    )
    parser.add_argument(
        "--topic", default=None, help="default: the first of the settings' input_topics (metrics)"
    )
    parser.add_argument(
        "--destination",
        default=None,
        help="the route of the events (default: forecast; events from JSON keep their own)",
    )
    parser.add_argument(
        "--window", type=int, default=48, metavar="N", help="readings in an event (default: 48)"
    )
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="publish an event every N readings (default: 1)"
    )
    parser.add_argument("--rate", type=float, metavar="N", help="at most N events a second")
    parser.add_argument(
        "--mode", choices=("binary", "structured"), default="binary", help="default: %(default)s"
    )
    parser.add_argument(
        "--source", default=None, help="the CloudEvents source of the windows (default: fncast/produce/…)"
    )
    parser.add_argument(
        "--since", type=float, help=argparse.SUPPRESS
    )  # the start of the demo, for a restarted source
    add_kafka_arguments(parser)
    add_reading_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Publish all events. Returns 0 once the broker has acknowledged all of them. Raises Failure."""
    _check(arguments)
    kafka = kafka_settings(arguments)
    topic = arguments.topic or kafka.input_topics[0]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        pace = RateLimiter(arguments.rate)
        events = _events(arguments)
        event = next(events, None)  # report wrong input before connecting to the broker
        publisher = TopicPublisher(kafka.client_properties(), topic, partitioner=kafka.partitioner)
        publisher.connect()
        with _summary(publisher):
            while event is not None:
                pace.wait()
                publisher.publish(to_kafka_record(event, arguments.mode))
                event = next(events, None)
            publisher.flush()
    except (CsvError, InvalidEventText, PublishError, ValueError) as error:
        raise Failure(str(error)) from None
    except KeyboardInterrupt:
        return 0 if _live(arguments) else 130  # Ctrl-C ends live feeds normally, but cuts files short
    return 0


@contextmanager
def _summary(publisher: TopicPublisher) -> Iterator[None]:
    """At the end of the block, also after an error or Ctrl-C, print how many events the broker has."""
    started_s = time.monotonic()
    try:
        yield
    finally:
        with suppress(PublishError):  # report the error that ended the block instead
            publisher.flush(LAST_FLUSH_S)
        elapsed_s = time.monotonic() - started_s
        noun = "event" if publisher.delivered == 1 else "events"
        print(
            f"published {publisher.delivered:,} {noun} to {publisher.topic} in {elapsed_s:.1f} s",
            file=sys.stderr,
        )


def _check(arguments: argparse.Namespace) -> None:
    if not (arguments.files or arguments.machine or arguments.shop):
        raise Failure("nothing to publish: pass a file, - for standard input, --machine or --shop")
    if arguments.source is not None and not URI_REFERENCE.fullmatch(arguments.source):
        raise Failure(f"--source {arguments.source!r} is not a URI-reference")
    if arguments.replay and not any(_is_csv(file) for file in arguments.files):
        raise Failure("--replay needs a file of readings; pass one")
    check_stdin_once(arguments.files)
    for file in arguments.files:
        if not _is_csv(file) and Path(file).suffix.lower() != ".json":
            raise Failure(
                f"{file}: the name must end in .csv, .tsv, .txt (each also with .gz) or .json; - reads standard input"
            )
    try:
        SlidingWindow(arguments.window, arguments.every)
    except ValueError as error:
        raise Failure(str(error)) from None


def _live(arguments: argparse.Namespace) -> bool:
    return bool(arguments.machine or arguments.shop or arguments.replay)


def _is_csv(file: str) -> bool:
    """Whether the file may hold readings. Standard input may hold events, too."""
    return file == "-" or is_series_file(file)


def _events(arguments: argparse.Namespace) -> Iterator[CloudEvent]:
    """All events: first those of the files, in the given order, then live feeds. Raises CsvError, InvalidEventText."""
    replayed: list[Series] = []
    for file in arguments.files:
        if file == "-" and _stdin_holds_events():
            yield from _stdin_events(arguments.destination)
        elif not _is_csv(file):
            yield _file_event(Path(file), arguments.destination)
        elif arguments.replay:
            replayed += read_file(Path(file), arguments)
        else:
            yield from _csv_events(arguments, file)
    if _live(arguments):
        yield from _live_events(arguments, replayed)


def _csv_events(arguments: argparse.Namespace, file: str) -> Iterator[CloudEvent]:
    source = arguments.source or f"fncast/produce/{quote('stdin' if file == '-' else Path(file).name)}"
    for series in read_file(Path(file), arguments):
        if len(series) < arguments.window:
            raise CsvError(
                f"{file}: {series.name} has {len(series)} readings, but a window needs {arguments.window};"
                " pass a smaller --window or more readings"
            )
        sliding = SlidingWindow(arguments.window, arguments.every)
        for reading in readings(series):
            if (window := sliding.add(reading)) is not None:
                yield build_window_event(
                    window, source=source, destination=arguments.destination or "forecast"
                )


def _live_events(arguments: argparse.Namespace, replayed: list[Series]) -> Iterator[CloudEvent]:
    names = [series.name for series in replayed]
    if twice := {name for name in names if names.count(name) > 1}:
        raise CsvError(f"two files have a series named {min(twice)!r}; rename one of them")
    since_s = time.time() if arguments.since is None else arguments.since
    since = datetime.fromtimestamp(since_s, UTC)
    feeds: list[Feed] = []
    if arguments.machine:
        feeds.append(MachineFeed(since))
    if arguments.shop:
        feeds.append(ShopFeed(since))
    if replayed:
        feeds.append(ReplayFeed(replayed))
    source = arguments.source or f"fncast/produce/{quote(socket.gethostname())}"
    windows = live_windows(feeds, window=arguments.window, every=arguments.every, since_s=since_s)
    for window in windows:
        yield build_window_event(
            window,
            source=source,
            destination=arguments.destination or "forecast",
            run=f"{int(since_s * 1000):x}",  # ticks count from the start of a run
        )


def _file_event(path: Path, destination: str | None) -> CloudEvent:
    try:
        with path.open("rb") as file:
            text = file.read(MAX_EVENT_BYTES + 1)
    except OSError as error:
        raise InvalidEventText(f"{path}: {error.strerror}") from None
    return _parse(text, str(path), destination)


def _stdin_holds_events() -> bool:
    """Whether standard input begins like JSON, after any blank lines. Waits for its first bytes."""
    stdin = cast(BufferedReader, sys.stdin.buffer)
    while (begin := stdin.peek(1)) and not (text := begin.lstrip()):
        stdin.read(len(begin))
    return not begin or text.startswith(b"{")


def _stdin_events(destination: str | None) -> Iterator[CloudEvent]:
    number = 0
    while line := sys.stdin.buffer.readline(MAX_EVENT_BYTES + 1):
        number += 1
        if line.strip():
            yield _parse(line, f"stdin, line {number}", destination)
    if not number:
        raise InvalidEventText("stdin: is empty; send CloudEvents as JSON lines or readings as CSV")


def _parse(text: bytes, where: str, destination: str | None) -> CloudEvent:
    if len(text) > MAX_EVENT_BYTES:
        raise InvalidEventText(f"{where}: is larger than {MAX_EVENT_BYTES:,} bytes")
    try:
        return parse_event(text, destination)
    except InvalidEventText as error:
        raise InvalidEventText(f"{where}: {error}") from None
