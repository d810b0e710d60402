"""The consumer's settings: one frozen object, with one member for each section."""

from __future__ import annotations

import msgspec

from consumer.settings.functions import DEFAULT_ROUTES, FnSettings, RouteSettings
from consumer.settings.inputs import InputSettings
from consumer.settings.kafka import KafkaSettings
from consumer.settings.monitor import AlertSettings, MonitorSettings
from consumer.settings.values import TOPIC_NAME
from consumer.settings.windows import WindowSettings
from fncast.http.port import MAX_PORT
from interceptor.assembly.rules import Rules
from interceptor.routes.route import url_flaw, without_secrets


class InterceptorSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The chain, in order: built-ins by name, others as `package.module:Class`."""

    chain: tuple[str, ...] = ("assemble", "expiry", "route", "deliver")


class AdminSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The admin listener: /metrics, /healthz, /readyz."""

    host: str = "127.0.0.1"
    port: int = 9464

    def __post_init__(self) -> None:
        if not 0 <= self.port <= MAX_PORT:  # a socket takes a larger one modulo 65536
            raise ValueError(f"port {self.port} is not from 0 to {MAX_PORT}")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of the consumer. Created by `load`."""

    kafka: KafkaSettings = KafkaSettings()
    inputs: tuple[InputSettings, ...] = ()
    windows: WindowSettings = WindowSettings()
    fn: FnSettings = FnSettings()
    routes: dict[str, str | RouteSettings] = msgspec.field(default_factory=lambda: dict(DEFAULT_ROUTES))
    interceptors: InterceptorSettings = InterceptorSettings()
    admin: AdminSettings = AdminSettings()
    monitor: MonitorSettings = MonitorSettings()
    alerts: tuple[AlertSettings, ...] = ()

    def __post_init__(self) -> None:
        self._check_inputs()
        self._check_alerts()
        for name, route in self.routes.items():  # checked here because a Route does not know its name
            url = route if isinstance(route, str) else route.url
            if url.startswith(("http://", "https://")) and (flaw := url_flaw(url)):
                raise ValueError(f"routes.{name}: url {without_secrets(url)!r} {flaw}")
            if not isinstance(route, str) and not url.startswith(("http://", "https://", "fn:")):
                raise ValueError(
                    f"routes.{name}: url {without_secrets(url)!r} does not begin with http://, https:// or fn:"
                )

    def _check_inputs(self) -> None:
        topics = [entry.topic for entry in self.inputs]
        for index, entry in enumerate(self.inputs):
            if topics.index(entry.topic) < index:
                raise ValueError(f"inputs[{index}]: topic {entry.topic!r} has an [[inputs]] entry already")
            if entry.topic not in self.kafka.input_topics:
                raise ValueError(f"inputs[{index}]: topic {entry.topic!r} is not one of input_topics")
            if entry.destination and entry.destination not in self.routes:
                known = ", ".join(sorted(self.routes)) or "none"
                raise ValueError(
                    f"inputs[{index}]: destination {entry.destination[:64]!r} is not a route; routes are: {known}"
                )
            try:
                self.rules_of(entry.topic)
            except ValueError as error:
                name = str(error).partition(" ")[0]
                section = "windows" if getattr(entry, name, None) is None else f"inputs[{index}]"
                raise ValueError(f"{section}.{error}") from None
            if entry.has_readings and "assemble" not in self.interceptors.chain:
                raise ValueError(
                    f"interceptors.chain has no `assemble`, which the readings of the topic {entry.topic!r} need"
                )
            self._check_by_series(index, entry)

    def _check_alerts(self) -> None:
        names = [alert.name for alert in self.alerts]
        for index, alert in enumerate(self.alerts):
            if names.index(alert.name) < index:
                raise ValueError(f"alerts[{index}]: there is an alert named {alert.name[:64]!r} already")

    def _check_by_series(self, index: int, entry: InputSettings) -> None:
        topic = entry.by_series_topic
        if topic and not TOPIC_NAME.match(topic):
            raise ValueError(f"inputs[{index}].rekey: {topic[:64]!r}... is longer than a topic's name may be")
        if topic and topic in (*self.kafka.input_topics, *self.kafka.written_topics()):
            raise ValueError(
                f"inputs[{index}].rekey sends readings through the topic {topic!r}, which another setting uses"
            )

    def reading_topics(self) -> tuple[str, ...]:
        """The input topics without those of the monitor, which a consumer that acts on alerts has among them."""
        monitored = (self.monitor.accuracy_topic, self.monitor.alerts_topic)
        return tuple(topic for topic in self.kafka.input_topics if topic not in monitored)

    def default_destinations(self) -> dict[str, str]:
        """By input topic, the destination of events that name no destination."""
        return {entry.topic: entry.destination for entry in self.inputs if entry.destination}

    def windows_of(self, topic: str) -> WindowSettings:
        """How readings of an input topic become windows: `[windows]` with what its `[[inputs]]` overrides."""
        return msgspec.structs.replace(self.windows, **self._input(topic).overrides())

    def rules_of(self, topic: str) -> Rules:
        """The assembler's rules for an input topic. Raises ValueError that begins with the name of a setting."""
        entry = self._input(topic)
        return self.windows_of(topic).rules(entry.include, entry.exclude, entry.counters, entry.unit)

    def _input(self, topic: str) -> InputSettings:
        return next((entry for entry in self.inputs if entry.topic == topic), InputSettings(topic))
