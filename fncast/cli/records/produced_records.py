"""The records that `fncast produce` publishes: events of files and standard input, windows and single readings."""

from __future__ import annotations

import argparse
import socket
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from typing import cast
from urllib.parse import quote

from cloudevents.core.bindings.kafka import KafkaMessage
from cloudevents.core.v1.event import CloudEvent

from fncast.cli.arguments.series_files import read_file
from fncast.produce.events import InvalidEventText, build_window_event, parse_event, to_kafka_record
from fncast.produce.live import live_readings, live_windows
from fncast.produce.machine import MachineFeed
from fncast.produce.reading import Feed, Reading
from fncast.produce.replay import ReplayFeed, readings
from fncast.produce.shop import ShopFeed
from fncast.produce.shop_servers import ServerIncidents
from fncast.produce.single_reading import to_reading_record, to_telegraf_record
from fncast.produce.windows import SlidingWindow
from fncast.series.csv.error import CsvError
from fncast.series.time_series import TimeSeries

# Far above the usual record limit of a broker: a larger line is a mistake.
MAX_EVENT_BYTES = 16_000_000
WINDOWS, READINGS, TELEGRAF = "windows", "readings", "telegraf-json"
FORMATS = (WINDOWS, READINGS, TELEGRAF)


def is_live(arguments: argparse.Namespace) -> bool:
    """Whether the flags ask for a feed that continues until Ctrl-C."""
    return bool(arguments.machine or arguments.shop or arguments.replay)


def is_event_file(file: str) -> bool:
    """Whether the file holds one event. All others hold readings; standard input may hold events, too."""
    return Path(file).suffix.lower() == ".json"


def records(arguments: argparse.Namespace) -> Iterator[KafkaMessage]:
    """All records, in the format of the flags. Raises CsvError, InvalidEventText."""
    if arguments.format == WINDOWS:
        yield from (to_kafka_record(event, arguments.mode) for event in _events(arguments))
        return
    replayed: list[TimeSeries] = []
    for file in arguments.files:
        found = read_file(Path(file), arguments)
        if arguments.replay:
            replayed += found
            continue
        for series in found:
            for reading in readings(series):
                yield from _reading_records(arguments, reading, _file_source(arguments, file))
    if is_live(arguments):
        feeds, since_s = _feeds(arguments, replayed)
        run = f"{int(since_s * 1000):x}"
        for reading in live_readings(feeds, history=arguments.window, since_s=since_s):
            yield from _reading_records(arguments, reading, _live_source(arguments), run)


def _reading_records(
    arguments: argparse.Namespace, reading: Reading, source: str, run: str = ""
) -> Iterator[KafkaMessage]:
    """The record of a reading; none for a missing one."""
    if arguments.format == TELEGRAF:
        record = to_telegraf_record(reading, {"host": socket.gethostname()})
    else:
        destination = arguments.destination or "forecast"
        record = to_reading_record(reading, source, destination, arguments.mode, run)
    if record is not None:
        yield record


def _events(arguments: argparse.Namespace) -> Iterator[CloudEvent]:
    """All events: first those of the files, in the given order, then live feeds. Raises CsvError, InvalidEventText."""
    replayed: list[TimeSeries] = []
    for file in arguments.files:
        if file == "-" and _stdin_holds_events():
            yield from _stdin_events(arguments.destination)
        elif is_event_file(file):
            yield _file_event(Path(file), arguments.destination)
        elif arguments.replay:
            replayed += read_file(Path(file), arguments)
        else:
            yield from _csv_events(arguments, file)
    if is_live(arguments):
        yield from _live_events(arguments, replayed)


def _csv_events(arguments: argparse.Namespace, file: str) -> Iterator[CloudEvent]:
    """The window events of a file of readings. Raises CsvError."""
    source = _file_source(arguments, file)
    found = read_file(Path(file), arguments)
    for series in found:  # before the first event, so that a wrong file is not published in part
        if len(series) < arguments.window:
            raise CsvError(
                f"{file}: {series.name} has {len(series)} readings, but a window needs {arguments.window};"
                " pass a smaller --window or more readings"
            )
    for series in found:
        sliding = SlidingWindow(arguments.window, arguments.every)
        for reading in readings(series):
            if (window := sliding.add(reading)) is not None:
                yield build_window_event(
                    window, source=source, destination=arguments.destination or "forecast"
                )


def _file_source(arguments: argparse.Namespace, file: str) -> str:
    return arguments.source or f"fncast/produce/{quote('stdin' if file == '-' else Path(file).name)}"


def _live_source(arguments: argparse.Namespace) -> str:
    return arguments.source or f"fncast/produce/{quote(socket.gethostname())}"


def _feeds(arguments: argparse.Namespace, replayed: list[TimeSeries]) -> tuple[list[Feed], float]:
    """The live feeds, and the time of their first tick in seconds since 1970. Raises CsvError."""
    names = [series.name for series in replayed]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise CsvError(f"two files have a series named {min(repeated)!r}; rename one of them")
    since_s = time.time() if arguments.since is None else arguments.since
    since = datetime.fromtimestamp(since_s, UTC)
    feeds: list[Feed] = []
    if arguments.machine:
        feeds.append(MachineFeed(since))
    if arguments.shop:
        feeds.append(ShopFeed(since, incidents=ServerIncidents()))
    if replayed:
        feeds.append(ReplayFeed(replayed))
    return feeds, since_s


def _live_events(arguments: argparse.Namespace, replayed: list[TimeSeries]) -> Iterator[CloudEvent]:
    feeds, since_s = _feeds(arguments, replayed)
    windows = live_windows(feeds, window=arguments.window, every=arguments.every, since_s=since_s)
    for window in windows:
        yield build_window_event(
            window,
            source=_live_source(arguments),
            destination=arguments.destination or "forecast",
            run=f"{int(since_s * 1000):x}",  # ticks count from the start of a run
        )


def _file_event(path: Path, destination: str | None) -> CloudEvent:
    """The event in a .json file. Raises InvalidEventText."""
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
    """The events on standard input, one JSON object a line. Raises InvalidEventText."""
    number = 0
    while line := sys.stdin.buffer.readline(MAX_EVENT_BYTES + 1):
        number += 1
        if line.strip():
            yield _parse(line, f"stdin, line {number}", destination)
    if not number:
        raise InvalidEventText("stdin: is empty; send CloudEvents as JSON lines or readings as CSV")


def _parse(text: bytes, where: str, destination: str | None) -> CloudEvent:
    """One event. where: file and line, for the message. Raises InvalidEventText."""
    if len(text) > MAX_EVENT_BYTES:
        raise InvalidEventText(f"{where}: is larger than {MAX_EVENT_BYTES:,} bytes")
    try:
        return parse_event(text, destination)
    except InvalidEventText as error:
        raise InvalidEventText(f"{where}: {error}") from None
