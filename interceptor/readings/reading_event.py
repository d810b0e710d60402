"""Readings in CloudEvents of the type `io.fncast.reading.v1`: one reading, or several of several series."""

from __future__ import annotations

from typing import Any

import msgspec

from fncast.wording.json import describe
from interceptor.cloudevents.reader import read_event
from interceptor.errors import InvalidEvent
from interceptor.outcome import Headers
from interceptor.readings.contract import MAX_READINGS, Decoded, Series, Skip, UndecodableRecord
from interceptor.readings.naming import NameTemplate
from interceptor.readings.numbers import number
from interceptor.readings.times import time_ns

TYPE = "io.fncast.reading.v1"
DEFAULT_NAME = "{series}"


class _Reading(msgspec.Struct):
    """One of several readings in an event. time: RFC 3339."""

    series: str = ""
    time: Any = None
    value: Any = None
    unit: str | None = None


class _EventData(msgspec.Struct):
    """The data of an event: one value, or several readings."""

    value: Any = None
    unit: str | None = None
    readings: list[msgspec.Raw] | None = None


_data = msgspec.json.Decoder(_EventData)
_reading = msgspec.json.Decoder(_Reading)


class CloudEventsReadings:
    """One reading has its series in the event's `subject`, and its time in `time`. Several are in `data.readings`."""

    def __init__(self, series: str = DEFAULT_NAME) -> None:
        self._template = NameTemplate(series, ("series",))

    def decode(self, value: bytes, key: bytes | None, headers: Headers, timestamp_ms: int) -> Decoded:
        try:
            event = read_event(headers, value)
        except InvalidEvent as error:
            raise UndecodableRecord(str(error)) from None
        if event.text("type") != TYPE:
            raise UndecodableRecord(f"the event's type is not {TYPE}")
        if event.data is None or not event.is_json:
            raise UndecodableRecord("the event has no data in JSON")
        try:
            data = _data.decode(event.data)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise UndecodableRecord(f"the event's data is not a reading: {describe(error)}") from None
        decoded = Decoded()
        if data.readings is None:
            reading = _Reading(event.text("subject") or "", event.text("time"), data.value, data.unit)
            self._add(decoded, reading)
            return decoded
        if len(data.readings) > MAX_READINGS:
            raise UndecodableRecord(f"the event holds more than {MAX_READINGS} readings")
        for raw in data.readings:
            try:
                self._add(decoded, _reading.decode(raw))
            except (msgspec.MsgspecError, RecursionError):
                decoded.skip(Skip.UNSUPPORTED)
        return decoded

    def _add(self, decoded: Decoded, reading: _Reading) -> None:
        at_ns = time_ns(reading.time) if isinstance(reading.time, str) else None
        found = number(reading.value)
        if not reading.series:
            decoded.skip(Skip.NO_SERIES)
        elif at_ns is None:
            decoded.skip(Skip.NO_TIME)
        elif isinstance(found, Skip):
            decoded.skip(found)
        else:
            decoded.add((reading.series, reading.unit or ""), at_ns, found)

    def series(self, key: Any) -> Series | None:
        series, unit = key
        full = self._template.name({"series": series}, {})
        return None if full is None else Series(full, {}, unit)
