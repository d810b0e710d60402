"""Decoders of single readings for the live page, from the settings of the input topics."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from consumer.settings import InputSettings, Settings
from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.events.single_reading import Decoder, SingleReading, UndecodableReading
from fncast.failure import Failure
from interceptor.assembly.series_globs import Counters, Selection
from interceptor.readings.contract import Format, MetricKind, Series, UndecodableRecord
from interceptor.readings.formats import build_format

MAX_NAMES = 100_000  # names of series that are kept for one topic


def page_decoders(settings: Settings) -> dict[str, Decoder]:
    """By topic, the decoder of each input with single readings. Raises Failure for a wrong format."""
    decoders: dict[str, Decoder] = {}
    for entry in settings.inputs:
        if not entry.has_readings:
            continue
        try:
            format_ = build_format(entry.format_name, entry.format_options())
        except ValueError as error:
            raise Failure(f"[[inputs]] topic {entry.topic!r}: {error}") from None
        has_rates = settings.windows_of(entry.topic).rate != "off"
        decoders[entry.topic] = PageDecoder(format_, entry, has_rates)
    return decoders


class PageDecoder:
    """Decodes the records of one topic, and leaves out the series that are not forecast."""

    def __init__(self, format_: Format, entry: InputSettings, has_rates: bool) -> None:
        """has_rates: whether cumulative counters are forecast as rates."""
        self._format = format_
        self._selection = Selection(entry.include, entry.exclude)
        self._counters = Counters(entry.counters)
        self._unit = entry.unit
        self._has_rates = has_rates
        self._names: dict[Hashable, Series | None] = {}

    def __call__(self, record: ReceivedRecord) -> list[SingleReading]:
        """See Decoder."""
        if record.value is None:  # it deletes a key of a compacted topic
            return []
        timestamp_ms = -1 if record.timestamp_s is None else round(record.timestamp_s * 1000)
        try:
            found = self._format.decode(record.value, record.key, record.headers, timestamp_ms)
        except UndecodableRecord as error:
            raise UndecodableReading(str(error)) from None
        except Exception as error:  # a user's format: one record must not stop the page
            raise UndecodableReading(f"its format failed: {type(error).__name__}: {error}") from None
        return [
            self._reading(series, at_ns, value)
            for key, at_ns, value in zip(found.keys, found.times_ns, found.values, strict=True)
            if (series := self._series(key)) is not None
        ]

    def _series(self, key: Any) -> Series | None:
        """The series of a format's key; None if it is not forecast."""
        if key in self._names:
            return self._names[key]
        try:
            series = self._format.series(key)
        except Exception:  # a user's format: the consumer leaves such a reading out, too
            series = None
        if series is not None:
            series = self._counters.marked(series) if self._selection.takes(series.name) else None
        if len(self._names) < MAX_NAMES:
            self._names[key] = series
        return series

    def _reading(self, series: Series, at_ns: int, value: float) -> SingleReading:
        is_counter = self._has_rates and series.kind is MetricKind.CUMULATIVE
        return SingleReading(series.name, at_ns / 1e9, value, self._unit or series.unit, is_counter)
