"""The consumer and functions in the process of a test, on an embedded broker: no Docker, no network."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from consumer.errors import ConsumerError
from consumer.kafka.embedded import EmbeddedBroker
from consumer.settings import KafkaSettings, Settings, SettingsError, load
from fncast.testing.consumer_thread import ConsumerThread
from fncast.testing.errors import ConsumerStopped, NotProcessed
from fncast.testing.function_server import PythonFunction, echo
from fncast.testing.input_publisher import Input, InputPublisher, Place
from fncast.testing.interceptor_chain import Entry, with_chain
from fncast.testing.output_reader import OutputReader
from fncast.testing.records import DeadLetterRecord, ForecastRecord

READY_S = 60.0  # joining the group takes some seconds
PROCESSED_S = 30.0

Function = PythonFunction | str | os.PathLike[str]


@dataclass(frozen=True)
class Results:
    """What became of the inputs of one `process`, in order in each partition. Skipped inputs are in neither list."""

    forecasts: list[ForecastRecord]
    dead_letters: list[DeadLetterRecord]


class LocalFncast:
    """A consumer with its interceptors, functions and broker in this process. A context manager; for one thread.

    Starting takes about four seconds, so let one start serve many tests: each `process` returns its own results.
    """

    def __init__(
        self,
        *,
        functions: Mapping[str, Function] | None = None,
        chain: Sequence[Entry] = (),
        settings: Mapping[str, Any] | None = None,
        config: str | os.PathLike[str] | None = None,
        bootstrap_servers: str = "",
    ) -> None:
        """Choose what runs. `with` starts it.

        functions: by destination, each a Python function, a URL, or the folder of an Fn function (default:
        `forecast` returns the data of its event). A Python function gets a CloudEvent as a dict, and returns its
        output, several outputs, or None. An output may leave out required attributes.

        chain: the interceptors: names as in fncast.toml, classes, or objects (default: that of the settings).
        settings: as in fncast.toml, for example `{"fn": {"max_attempts": 2}}`. config: a settings file to start from;
        `settings` wins. The environment is not read.
        bootstrap_servers: another broker, on which all topics exist; empty for an embedded one.
        """
        self._functions = dict(functions) if functions is not None else {"forecast": echo}
        self._chain = list(chain)
        self._settings = dict(settings or {})
        self._config = Path(config) if config is not None else Path(os.devnull)
        self._broker: EmbeddedBroker | None = None
        self._thread: ConsumerThread | None = None
        self._reader: OutputReader | None = None
        self._publisher: InputPublisher
        self._kafka: KafkaSettings
        self.bootstrap_servers = bootstrap_servers
        """The address of the broker, for other clients."""

    def __enter__(self) -> LocalFncast:
        """Start, and wait until the consumer has its partitions. Raises ConsumerStopped, SettingsError."""
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def process(self, *inputs: Input, within_s: float = PROCESSED_S) -> Results:
        """Publish the inputs, wait until all are committed, and return what the consumer has published meanwhile.

        inputs: an event as a dict, which is published in structured mode and may leave out required attributes; bytes
        for a record without headers; or an `InputRecord`.
        Raises NotProcessed, ConsumerStopped, and TimeoutError if the outputs cannot be read in time.
        """
        reader, deadline_s = self._reader, time.monotonic() + within_s
        assert reader is not None, "use LocalFncast in a `with` statement"
        self._wait_for_commits(self._publisher.publish(inputs, within_s), deadline_s, within_s)
        found = reader.read_new(max(deadline_s - time.monotonic(), 1.0))
        kafka = self._kafka
        return Results(
            [ForecastRecord.of(message) for message in found[kafka.output_topic]],
            [DeadLetterRecord.of(message) for message in found[kafka.dead_letter_topic]],
        )

    def close(self) -> None:
        """Stop the consumer, the functions and the embedded broker."""
        if self._thread is not None:
            self._thread.stop()
            self._thread = None
        if self._reader is not None:
            self._reader.close()
            self._reader = None
        if self._broker is not None:
            self._broker.close()
            self._broker = None

    def _start(self) -> None:
        is_embedded = not self.bootstrap_servers
        if is_embedded:
            self._broker = EmbeddedBroker()
            self.bootstrap_servers = self._broker.bootstrap_servers
        functions = {name: function for name, function in self._functions.items() if callable(function)}
        places = {name: place for name, place in self._functions.items() if not callable(place)}
        urls = {name: str(place) for name, place in places.items() if "://" in str(place)}
        folders = {name: Path(place) for name, place in places.items() if name not in urls}
        self._thread = ConsumerThread(functions, folders)
        targets, fn_url = self._thread.start_functions(READY_S)
        settings = self._load(targets, urls, fn_url, is_embedded=is_embedded)
        settings, interceptors = with_chain(settings, self._chain, self._thread.committed)
        kafka = self._kafka = settings.kafka
        self._publisher = InputPublisher(kafka)
        self._reader = OutputReader(kafka.client_properties(), [kafka.output_topic, kafka.dead_letter_topic])
        try:
            self._thread.start_consumer(settings, interceptors)
        except (ConsumerError, SettingsError) as error:
            raise ConsumerStopped(f"the consumer does not start: {error}") from error
        self._wait_until_ready()

    def _load(
        self, targets: Mapping[str, str], urls: Mapping[str, str], fn_url: str, *, is_embedded: bool
    ) -> Settings:
        """The settings, with the functions as the only routes. Raises SettingsError."""
        kafka: dict[str, Any] = {"delivery": "at-least-once"} if is_embedded else {}
        kafka |= dict(self._settings.get("kafka", {})) | {"bootstrap_servers": self.bootstrap_servers}
        routes = {name: {"url": target, "batch": True} for name, target in targets.items()}
        settings = load(self._config, {}, {**self._settings, "kafka": kafka, "routes": {**routes, **urls}})
        return msgspec.structs.replace(
            settings,
            kafka=msgspec.structs.replace(settings.kafka, client={}) if is_embedded else settings.kafka,
            fn=msgspec.structs.replace(settings.fn, url=fn_url or settings.fn.url, token_file=""),
            routes={name: settings.routes[name] for name in self._functions},
        )

    def _wait_until_ready(self) -> None:
        deadline_s = time.monotonic() + READY_S
        while not (self._consumer.health["ready"] and self._consumer.health["partitions"]):
            self._check_running()
            if time.monotonic() > deadline_s:
                reason = self._consumer.health["reason"] or "it has no partitions"
                raise ConsumerStopped(f"the consumer is not ready within {READY_S:g} s: {reason}")
            self._consumer.committed.wait()

    def _wait_for_commits(self, places: list[Place], deadline_s: float, within_s: float) -> None:
        committed = self._consumer.committed
        while left := [place for place in places if not committed.includes(*place)]:
            self._check_running()
            if time.monotonic() > deadline_s:
                raise NotProcessed(
                    f"{len(left)} of {len(places)} inputs have no outcome after {within_s:g} s{self._reasons()}"
                )
            committed.wait()

    def _reasons(self) -> str:
        """Why inputs may have no outcome, to follow a message: from the consumer's health and the functions' errors."""
        health = self._consumer.health
        reasons = [health["reason"]] if health["reason"] else []
        reasons += [f"route {name} is out: {reason}" for name, reason in health["routes_out"].items()]
        for name, error in self._consumer.functions.errors.items():
            reasons.append(f"function {name} raised {type(error).__name__}: {error}")
        return "".join(f"; {reason}" for reason in reasons)

    def _check_running(self) -> None:
        failure = self._consumer.failure
        if failure is not None:
            raise ConsumerStopped(f"the consumer stopped: {type(failure).__name__}: {failure}") from failure

    @property
    def _consumer(self) -> ConsumerThread:
        assert self._thread is not None, "use LocalFncast in a `with` statement"
        return self._thread
