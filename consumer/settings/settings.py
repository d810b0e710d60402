"""The consumer's settings: one frozen object from a TOML file, the environment and flags, in this order."""

from __future__ import annotations

import os
import re
import socket
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin
from urllib.parse import urlsplit

import msgspec

from consumer.settings.inputs import Input, JsonMapping
from consumer.settings.monitor import Alert, Monitor
from consumer.settings.source import (
    SettingsError,
    flatten,
    from_environment,
    from_file,
    merge,
    message_with_place,
    route_message,
)
from consumer.settings.windows import Windows
from fncast.http.port import MAX_PORT
from interceptor.assembly.rules import Rules
from interceptor.routes.route import shown, url_flaw

# fncast sets these properties itself: the delivery guarantee depends on them.
RESERVED_PROPERTIES = frozenset(
    {
        "acks",
        "auto.offset.reset",
        "default.topic.config",  # a table of properties
        "enable.auto.commit",
        "enable.auto.offset.store",
        "enable.idempotence",
        "enable.gapless.guarantee",
        "group.id",
        "bootstrap.servers",
        "metadata.broker.list",
        "isolation.level",
        "max.in.flight",
        "max.in.flight.requests.per.connection",
        "message.send.max.retries",
        "partitioner",
        "request.required.acks",
        "retries",
        "transactional.id",
        "transaction.timeout.ms",
    }
)

__all__ = [
    "Admin",
    "Alert",
    "Fn",
    "Input",
    "Interceptors",
    "JsonMapping",
    "Kafka",
    "Monitor",
    "Route",
    "Settings",
    "SettingsError",
    "Windows",
    "load",
]

MOST = 1_000_000_000  # a larger number is a mistake

# Kafka's rule for names. `.` and `..` would be folders on the broker.
_TOPIC = re.compile(r"(?!\.{1,2}\Z)[a-zA-Z0-9._-]{1,249}\Z")

# An event's destination is a name here, never a URL. A file's [routes] replaces this, a variable adds to it.
DEFAULT_ROUTES: dict[str, str | Route] = {"forecast": "fn:fncast/forecast"}


class Kafka(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The Kafka cluster, the group and the topics.

    client: any librdkafka properties, for consumer and producer. static_membership: the group knows this consumer by
    its `instance_name`, and returns its partitions at once after a crash. outage_topic: gets an event while a route is
    out; empty for none. pause_after_refused: pause a topic if its first so many records are all rejected for the same
    kind of reason; 0 for never. state_topic: for snapshots of interceptors' state.
    """

    bootstrap_servers: str = "localhost:9092"
    group_id: str = "fncast"
    instance: str = ""
    static_membership: bool = False
    input_topics: tuple[str, ...] = ("metrics",)
    output_topic: str = "forecasts"
    dead_letter_topic: str = "dead-letters"
    outage_topic: str = "outages"
    state_topic: str = "fncast-state"
    delivery: Literal["exactly-once", "at-least-once"] = "exactly-once"
    partitioner: str = "murmur2_random"
    pause_after_refused: int = 1000
    client: dict[str, Any] = {}

    def __post_init__(self) -> None:
        for name in ("bootstrap_servers", "group_id", "output_topic", "dead_letter_topic", "state_topic"):
            if not getattr(self, name):
                raise ValueError(f"{name} is empty")
        if not 0 <= self.pause_after_refused < MOST:
            raise ValueError("pause_after_refused must not be negative")
        if not self.input_topics or not all(self.input_topics):
            raise ValueError("input_topics names no topic")
        if len(set(self.input_topics)) < len(self.input_topics):
            raise ValueError("input_topics names a topic twice")
        self._check_names()
        written = [topic for topic in self.written_topics() if topic]
        for topic in written:
            if topic in self.input_topics:
                raise ValueError(
                    f"{topic!r} is an input and an output topic: fncast would read its own results"
                )
        if len(set(written)) < len(written):
            raise ValueError(
                "output_topic, dead_letter_topic, outage_topic and state_topic must be different topics"
            )
        for name in flatten(self.client):
            if name in RESERVED_PROPERTIES:
                raise ValueError(f"client.{name} cannot be set: fncast sets it for the delivery guarantee")

    def written_topics(self) -> tuple[str, str, str, str]:
        """The topics that the consumer writes to; the outage topic may be empty."""
        return self.output_topic, self.dead_letter_topic, self.outage_topic, self.state_topic

    def _check_names(self) -> None:
        """Check the topics' names here: a broker rejects a wrong name only at the first record."""
        names = [("input_topics", topic) for topic in self.input_topics]
        names += [
            (name, getattr(self, name)) for name in ("output_topic", "dead_letter_topic", "state_topic")
        ]
        if self.outage_topic:
            names.append(("outage_topic", self.outage_topic))
        for name, topic in names:
            if not _TOPIC.match(topic):
                raise ValueError(
                    f"{name} {topic[:64]!r} is not a topic name: use 1 to 249 of a-z, A-Z, 0-9, '.', '_' and '-'"
                )

    def __repr__(self) -> str:
        """Without the values of `client`, which may hold a password."""
        return f"Kafka({self.bootstrap_servers!r}, {self.group_id!r}, client={sorted(flatten(self.client))})"

    def client_properties(self) -> dict[str, str]:
        """librdkafka properties that every client of this broker needs: addresses and security."""
        return {"bootstrap.servers": self.bootstrap_servers, **flatten(self.client)}

    def instance_name(self) -> str:
        """The name of this replica, the same after a restart: the host name unless `instance` is set."""
        return self.instance or socket.gethostname()


class Fn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The Fn server's API, and how functions are called. token_file: contains the bearer token for both."""

    url: str = "http://localhost:8080"
    token_file: str = ""
    timeout_s: float = 30.0
    calls_in_flight: int = 4
    batch_events: int = 512
    batch_bytes: int = 1_000_000
    linger_s: float = 0.005
    max_attempts: int = 5

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"url {shown(self.url)!r} does not begin with http:// or https://")
        if flaw := url_flaw(self.url):
            raise ValueError(f"url {shown(self.url)!r} {flaw}")
        if "@" in urlsplit(self.url).netloc:  # the server's own addresses do not have one
            raise ValueError(
                f"url {shown(self.url)!r} has a login. Use token_file with a bearer token instead"
            )
        for name in ("timeout_s", "calls_in_flight", "batch_events", "batch_bytes", "max_attempts"):
            if not 0 < getattr(self, name) < MOST:
                raise ValueError(f"{name} must be positive, and below {MOST:,}")
        if not 0 <= self.linger_s < MOST:
            raise ValueError("linger_s must not be negative")


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An HTTP function that accepts CloudEvents: one event a call unless `batch`.

    encoding: of calls with assembled windows. graphpipe sends all windows of a call as one tensor.
    """

    url: str
    batch: bool = False
    mode: Literal["binary", "structured"] = "structured"
    token_file: str = ""
    encoding: Literal["json", "graphpipe"] = "json"


# By name, the allowed values of settings that have a fixed set.
CHOICES = {
    field.name: get_args(field.type)
    for section in (Kafka, Route, Windows, JsonMapping)
    for field in msgspec.structs.fields(section)
    if get_origin(field.type) is Literal
}


class Interceptors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The chain, in order: built-ins by name, others as `package.module:Class`."""

    chain: tuple[str, ...] = ("assemble", "expiry", "route", "deliver")


class Admin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The admin listener: /metrics, /healthz, /readyz."""

    host: str = "127.0.0.1"
    port: int = 9464

    def __post_init__(self) -> None:
        if not 0 <= self.port <= MAX_PORT:  # a socket takes a larger one modulo 65536
            raise ValueError(f"port {self.port} is not from 0 to {MAX_PORT}")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of the consumer. Created by `load`."""

    kafka: Kafka = Kafka()
    inputs: tuple[Input, ...] = ()
    windows: Windows = Windows()
    fn: Fn = Fn()
    routes: dict[str, str | Route] = msgspec.field(default_factory=lambda: dict(DEFAULT_ROUTES))
    interceptors: Interceptors = Interceptors()
    admin: Admin = Admin()
    monitor: Monitor = Monitor()
    alerts: tuple[Alert, ...] = ()

    def __post_init__(self) -> None:
        self._check_inputs()
        self._check_alerts()
        for name, route in self.routes.items():  # checked here because a Route does not know its name
            url = route if isinstance(route, str) else route.url
            if url.startswith(("http://", "https://")) and (flaw := url_flaw(url)):
                raise ValueError(f"routes.{name}: url {shown(url)!r} {flaw}")
            if not isinstance(route, str) and not url.startswith(("http://", "https://", "fn:")):
                raise ValueError(
                    f"routes.{name}: url {shown(url)!r} does not begin with http://, https:// or fn:"
                )

    def _check_inputs(self) -> None:
        topics = [entry.topic for entry in self.inputs]
        for place, entry in enumerate(self.inputs):
            if topics.index(entry.topic) < place:
                raise ValueError(f"inputs[{place}]: topic {entry.topic!r} has an [[inputs]] entry already")
            if entry.topic not in self.kafka.input_topics:
                raise ValueError(f"inputs[{place}]: topic {entry.topic!r} is not one of input_topics")
            if entry.destination and entry.destination not in self.routes:
                known = ", ".join(sorted(self.routes)) or "none"
                raise ValueError(
                    f"inputs[{place}]: destination {entry.destination[:64]!r} is not a route; routes are: {known}"
                )
            try:
                self.rules_of(entry.topic)
            except ValueError as error:
                name = str(error).partition(" ")[0]
                section = "windows" if getattr(entry, name, None) is None else f"inputs[{place}]"
                raise ValueError(f"{section}.{error}") from None
            if entry.has_readings and "assemble" not in self.interceptors.chain:
                raise ValueError(
                    f"interceptors.chain has no `assemble`, which the readings of the topic {entry.topic!r} need"
                )
            self._check_by_series(place, entry)

    def _check_alerts(self) -> None:
        names = [alert.name for alert in self.alerts]
        for place, alert in enumerate(self.alerts):
            if names.index(alert.name) < place:
                raise ValueError(f"alerts[{place}]: there is an alert named {alert.name[:64]!r} already")

    def _check_by_series(self, place: int, entry: Input) -> None:
        topic = entry.by_series_topic
        if topic and not _TOPIC.match(topic):
            raise ValueError(f"inputs[{place}].rekey: {topic[:64]!r}... is longer than a topic's name may be")
        if topic and topic in (*self.kafka.input_topics, *self.kafka.written_topics()):
            raise ValueError(
                f"inputs[{place}].rekey sends readings through the topic {topic!r}, which another setting uses"
            )

    def reading_topics(self) -> tuple[str, ...]:
        """The input topics without those of the monitor, which a consumer that acts on alerts has among them."""
        monitored = (self.monitor.accuracy_topic, self.monitor.alerts_topic)
        return tuple(topic for topic in self.kafka.input_topics if topic not in monitored)

    def default_destinations(self) -> dict[str, str]:
        """By input topic, the destination of events that name none."""
        return {entry.topic: entry.destination for entry in self.inputs if entry.destination}

    def windows_of(self, topic: str) -> Windows:
        """How readings of an input topic become windows: `[windows]` with what its `[[inputs]]` overrides."""
        return msgspec.structs.replace(self.windows, **self._input(topic).overrides())

    def rules_of(self, topic: str) -> Rules:
        """The assembler's rules for an input topic. Raises ValueError that begins with the name of a setting."""
        entry = self._input(topic)
        return self.windows_of(topic).rules(entry.include, entry.exclude, entry.unit)

    def _input(self, topic: str) -> Input:
        return next((entry for entry in self.inputs if entry.topic == topic), Input(topic))


def load(
    path: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Read `path` (default: fncast.toml if it exists), then the environment, then flags. A later source wins.

    Raises SettingsError with the file and line, or the variable, of an unknown name or a wrong value.
    """
    default = Path("fncast.toml")
    file = path if path is not None else default if default.is_file() else None
    try:
        text = file.read_text("utf-8") if file else ""
        table = from_file(text)
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file}: not valid TOML: {error}") from None
    for name in Settings.__struct_fields__:
        if name not in ("inputs", "alerts") and name in table and not isinstance(table[name], Mapping):
            # A variable or flag would replace it.
            raise SettingsError(f"{file}: [{name}] must be a table of settings, not a value")
    variables = from_environment(environ, Settings)
    merged = merge(merge({"routes": DEFAULT_ROUTES} | table, variables.table), overrides or {})
    merged["kafka"] = _with_inputs(merged.get("kafka", {}), merged.get("inputs"))
    try:
        _check_routes(merged["routes"])
        return msgspec.convert(merged, Settings)
    except msgspec.ValidationError as error:
        message = message_with_place(str(error), str(file), text, variables.names, CHOICES)
        raise SettingsError(message) from None


def _with_inputs(kafka: Mapping[str, Any], inputs: Any) -> Mapping[str, Any]:
    """[kafka] with the topics of [[inputs]] added to `input_topics`. msgspec reports malformed values later."""
    if not isinstance(inputs, list):
        return kafka
    named = [entry["topic"] for entry in inputs if isinstance(entry, Mapping) and "topic" in entry]
    listed = kafka.get("input_topics", [])
    if not named or not isinstance(listed, list | tuple):
        return kafka
    return {**kafka, "input_topics": [*listed, *dict.fromkeys(name for name in named if name not in listed)]}


def _check_routes(routes: Mapping[str, Any]) -> None:
    """Raises msgspec.ValidationError that names the route."""
    for name, route in routes.items():
        try:
            msgspec.convert(route, str | Route)
        except msgspec.ValidationError as error:
            raise msgspec.ValidationError(route_message(str(error), name)) from None
