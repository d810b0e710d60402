"""Settings of one input topic: its format, its series, and what differs from `[windows]`."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from consumer.settings.values import check_topic_name
from consumer.settings.windows import Aggregate, Rate, WindowSettings
from interceptor.readings.formats import BUILT_IN
from interceptor.readings.naming import NameTemplate

EVENTS = "cloudevents"
MAPPED = "json"
MAX_PATH_PARTS = 16
BY_SERIES = "-by-series"  # the end of the name of a topic that fncast keys by series


class JsonMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where time, values and labels are in a JSON object. All are dotted paths below `root`, the path of an envelope.

    time: empty for the record's timestamp. values: empty for each member that is a number. time_unit: of a time that is
    a number; auto recognizes it by its size.
    """

    time: str = ""
    time_unit: Literal["auto", "s", "ms", "us", "ns"] = "auto"
    values: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    root: str = ""

    def __post_init__(self) -> None:
        for name in ("time", "root"):
            if path := getattr(self, name):
                _check_path(name, path)
        for name in ("values", "labels"):
            for path in getattr(self, name):
                _check_path(name, path)


class InputSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An input topic.

    format: of single readings: a built-in name, or `package.module:Class`. Empty for CloudEvents that each hold a whole
    window; then the topic has no state. destination: the route of records that name none; empty for no default.
    series: template of the series' names; empty for the format's default. include, exclude: globs of series' names.
    counters: globs of the series that are cumulative counters, where the format does not say so. unit: replaces the
    readings' unit. rekey: send readings through a topic that is keyed by series. json: only for the format json. The
    others override `[windows]`; None keeps its value.
    """

    topic: str
    format: str = ""
    destination: str = ""
    series: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    counters: tuple[str, ...] = ()
    unit: str = ""
    rekey: bool = False
    json: JsonMapping | None = None
    step: str | None = None
    aggregate: Aggregate | None = None
    rate: Rate | None = None
    grace_s: float | None = None
    every: int | None = None
    max_series: int | None = None
    window: int | None = None
    min_readings: int | None = None
    min: float | None = None
    max: float | None = None

    def __post_init__(self) -> None:
        check_topic_name("topic", self.topic)
        if self.format and self.format not in BUILT_IN and not all(self.format.partition(":")):
            raise ValueError(
                f"format {self.format[:64]!r} is unknown: use one of {', '.join(BUILT_IN)}, or package.module:Class"
            )
        if self.json is not None and self.format != MAPPED:
            raise ValueError(f'json is only for format = "json", and the format is {self.format!r}')
        if self.series:
            NameTemplate(self.series, ("name",))  # its error begins with the setting's name
        for name in ("include", "exclude", "counters"):
            if "" in getattr(self, name):
                raise ValueError(f"{name} has an empty pattern")

    @property
    def has_readings(self) -> bool:
        """Whether the topic's records are single readings: a setting says so, or makes sense only for them."""
        given = (
            self.format,
            self.series,
            self.include,
            self.exclude,
            self.counters,
            self.unit,
            self.rekey,
            self.overrides(),
        )
        return any(given)

    @property
    def format_name(self) -> str:
        """The format of an input with readings, for `interceptor.readings.formats.build_format`."""
        return self.format or EVENTS

    def format_options(self) -> dict[str, Any]:
        """Keyword arguments for `interceptor.readings.formats.build_format`."""
        options: dict[str, Any] = {"series": self.series} if self.series else {}
        if self.format == MAPPED:
            mapping = self.json or JsonMapping()
            options |= {name: getattr(mapping, name) for name in JsonMapping.__struct_fields__}
        return options

    def overrides(self) -> dict[str, Any]:
        """The settings that replace those of `[windows]`."""
        values = {name: getattr(self, name) for name in WindowSettings.__struct_fields__}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def by_series_topic(self) -> str:
        """The topic that carries this input's readings keyed by series; empty without `rekey`."""
        return self.topic + BY_SERIES if self.rekey else ""


def _check_path(name: str, path: str) -> None:
    parts = path.split(".")
    if len(parts) > MAX_PATH_PARTS or "" in parts:
        raise ValueError(f"{name} {path[:64]!r} is not a path: write for example payload.after")
