"""Decodes a sample of records in one format and counts what comes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from fncast.media_type import is_tensor
from fncast.recognition.observed_series import ObservedSeries, short_step
from fncast.series.step import Step
from interceptor.cloudevents.event import Event
from interceptor.cloudevents.reader import read_event
from interceptor.delivery import Record
from interceptor.errors import InvalidEvent
from interceptor.outcome import DeadLetter
from interceptor.readings.contract import Format, Series
from interceptor.readings.decoding import decode, unreadable
from interceptor.readings.formats import build_format
from interceptor.readings.reading_event import TYPE as READING_TYPE
from interceptor.readings.times import time_ns

CLOUDEVENTS = "cloudevents"
OTHER_EVENT = "it is a CloudEvent"  # the start of the reason of an event without a window
MAX_SERIES = 10_000  # kept in one trial; others are only counted
MAX_REASONS = 20  # different reasons of undecodable records
OTHER_REASONS = "other reasons"  # counts the records whose reason is beyond MAX_REASONS


@dataclass
class FormatTrial:
    """The result of decoding a sample in one format.

    records: how many were tried. decoded: how many gave readings or are a window. windows: how many are windows.
    without_numbers: how many hold only readings that are not numbers, such as strings. They become no dead letters.
    skipped: readings by the reason why they were skipped. reasons: undecodable records by reason.
    destinations: windows by the destination that they name, "" for none. more_readings: of series beyond MAX_SERIES.
    other_events: CloudEvents that are neither windows nor readings, by destination. They also have a reason: only
    functions that do not forecast can use them.
    """

    format: str
    options: Mapping[str, Any]
    records: int = 0
    decoded: int = 0
    without_numbers: int = 0
    readings: int = 0
    windows: int = 0
    more_readings: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    destinations: Counter[str] = field(default_factory=Counter)
    other_events: Counter[str] = field(default_factory=Counter)
    series: dict[str, ObservedSeries] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """The share of records that decode to something, 0 to 1."""
        return self.decoded / self.records if self.records else 0.0

    @property
    def spread(self) -> list[ObservedSeries]:
        """Series that come from more than one partition."""
        return [series for series in self.series.values() if series.is_spread]

    def add_undecodable(self, reason: str) -> None:
        """Count an undecodable record."""
        if reason in self.reasons or len(self.reasons) < MAX_REASONS:
            self.reasons[reason] += 1
        else:
            self.reasons[OTHER_REASONS] += 1

    def add_reading(
        self, series: Series, partition: int, at_ns: int, value: float | None, step: str = ""
    ) -> None:
        """Count a reading of a series. at_ns: since 1970 in UTC. step: as the record states it, or empty."""
        observed = self.series.get(series.name)
        if observed is None:
            if len(self.series) >= MAX_SERIES:
                self.more_readings += 1
                return
            observed = self.series[series.name] = ObservedSeries(series.name, series.unit, known_step=step)
        observed.add(partition, at_ns, value)


def try_format(name: str, options: Mapping[str, Any], records: Sequence[Record]) -> FormatTrial:
    """Decode all records in the format. options: of the format's constructor. Raises ValueError for wrong options.

    Records without a value are left out: they delete a key of a compacted topic.
    """
    format_ = build_format(name, options)
    trial = FormatTrial(name, options)
    names: dict[Hashable, Series | None] = {}
    for record in records:
        if record.value is None:
            continue
        trial.records += 1
        if name == CLOUDEVENTS and _add_window(trial, record):
            continue
        _add_readings(trial, format_, names, record)
    return trial


def _add_readings(
    trial: FormatTrial, format_: Format, names: dict[Hashable, Series | None], record: Record
) -> None:
    decoded = decode(format_, record)
    if isinstance(decoded, DeadLetter):
        trial.add_undecodable(decoded.reason)
        return
    for reason, count in decoded.skipped.items():
        trial.skipped[reason.value] += count
    found = 0
    for key, at_ns, value in zip(decoded.keys, decoded.times_ns, decoded.values, strict=True):
        if key not in names:
            names[key] = _series(format_, key)
        series = names[key]
        if series is None:
            trial.skipped["no-series"] += 1
            continue
        found += 1
        trial.add_reading(series, record.partition, at_ns, value)
    trial.readings += found
    if found:
        trial.decoded += 1
    elif not decoded.skipped:
        trial.add_undecodable("it holds no readings")
    elif unreadable(decoded) is None:
        trial.without_numbers += 1


def _series(format_: Format, key: Hashable) -> Series | None:
    try:
        return format_.series(key)
    except Exception:  # a user's format: the consumer counts such readings as without a series, too
        return None


def _add_window(trial: FormatTrial, record: Record) -> bool:
    """Add the record if it is an event with a window. Returns False for any other record, such as a reading event."""
    try:
        event = read_event(record.headers, record.value)
    except InvalidEvent:
        return False
    kind = event.text("type")
    if kind == READING_TYPE:
        return False
    values, data = _values_of(event)
    destination = event.text("destination") or ""
    if values is None:
        trial.add_undecodable(f"{OTHER_EVENT} of the type {kind}, without `values` in its data")
        trial.other_events[destination] += 1
        return True
    trial.decoded += 1
    trial.windows += 1
    trial.destinations[destination] += 1
    last = values[-1] if values and isinstance(values[-1], int | float) else None
    name = event.text("subject") or event.text("source") or ""
    at_ns = time_ns(event.text("time")) or record.timestamp_ms * 1_000_000
    unit = data.get("unit")
    series = Series(name, {}, unit if isinstance(unit, str) else "")
    trial.add_reading(series, record.partition, at_ns, last, _step_of(data))
    return True


def _values_of(event: Event) -> tuple[list[Any] | None, Mapping[str, Any]]:
    """Return the window's values and the data around them. None if the event holds no window.

    The values of a tensor are not read; its step and unit are attributes.
    """
    if event.data is not None and is_tensor(event.text("datacontenttype")):
        return [], event.attributes
    if event.data is None or not event.is_json:
        return None, {}
    try:
        data = msgspec.json.decode(event.data)
    except (msgspec.MsgspecError, RecursionError):
        return None, {}
    if isinstance(data, list):
        return data, {}
    if isinstance(data, dict) and isinstance(data.get("values"), list):
        return data["values"], data
    return None, {}


def _step_of(data: Mapping[str, Any]) -> str:
    try:
        step = Step.of(data)
        return short_step(step.period_s) if step.period_s else str(step)
    except ValueError:
        return ""
