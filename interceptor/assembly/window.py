"""A completed window, and the CloudEvent `io.fncast.window.v1` that carries it."""

from __future__ import annotations

from array import array
from functools import lru_cache

import msgspec
import orjson

from fncast.series.rfc3339 import format_time
from fncast.series.step import Step
from fncast.series.window_data import EventReadings
from interceptor.cloudevents.event import Attribute, Event
from interceptor.readings.times import to_datetime

TYPE = "io.fncast.window.v1"
_CACHED = 8192
_HEAD_BYTES, _BYTES_PER_VALUE = 512, 12


class Window(msgspec.Struct, eq=False, gc=False):
    """The last readings of a series when a step was complete.

    start_ns: time of the first value; end_ns: end of the last step; both since 1970 UTC. values: float64, oldest first,
    NaN for a missing reading; always as long as the rules' window. labels_json: an object, empty for none.
    low, high: limits of the forecast, None for none.
    """

    series: str
    start_ns: int
    end_ns: int
    step: Step
    values: array[float]
    unit: str = ""
    labels_json: bytes = b""
    low: float | None = None
    high: float | None = None

    @property
    def start(self) -> str:
        """The time of the first value as RFC 3339."""
        return time_text(self.start_ns)

    @property
    def labels(self) -> dict[str, str]:
        """The labels of the series by name."""
        labels: dict[str, str] = orjson.loads(self.labels_json) if self.labels_json else {}
        return labels

    def to_json(self) -> bytes:
        """The data of the window event."""
        parts = [
            b'{"start":"%b",%b,"values":%b'
            % (
                self.start.encode(),
                _step_members(self.step, self.step.day, self.start_ns if self.step.months else 0),
                orjson.dumps(self.values.tolist()),  # NaN becomes null
            )
        ]
        if self.unit:
            parts.append(b',"unit":' + orjson.dumps(self.unit))
        if self.low is not None:
            parts.append(b',"min":' + orjson.dumps(self.low))
        if self.high is not None:
            parts.append(b',"max":' + orjson.dumps(self.high))
        if self.labels_json:
            parts.append(b',"labels":' + self.labels_json)
        return b"".join(parts) + b"}"


class WindowEvent(Event):
    """A window as a CloudEvent. Its JSON is created on first use: a tensor call needs only the numbers.

    readings: what a tensor call needs; None before the first such call. is_replaced: whether an interceptor has set
    `data`, which then counts instead of the window.
    """

    window: Window
    _data: bytes | None = None
    readings: EventReadings | None = None
    is_replaced: bool = False

    @property  # type: ignore[misc]  # a field of the base class
    def data(self) -> bytes:
        """The window as a JSON object."""
        if self._data is None:
            self._data = self.window.to_json()
        return self._data

    @data.setter
    def data(self, data: bytes) -> None:
        self._data, self.readings, self.is_replaced = data, None, True

    @property
    def size(self) -> int:
        """About how many bytes a request with this event has. An estimate, so that no JSON is created for it."""
        return _HEAD_BYTES + _BYTES_PER_VALUE * len(self.window.values)

    def to_json(self) -> bytes:
        """The event in CloudEvents' JSON format."""
        return b'%b,"data":%b}' % (orjson.dumps(self.attributes)[:-1], self.data)


def window_event(window: Window, source: str, destination: str = "") -> WindowEvent:
    """The event of a window. A replay gives the same id and data. destination: empty if the topic decides."""
    attributes: dict[str, Attribute] = {
        "specversion": "1.0",
        "id": f"{window.series}@{time_text(window.end_ns)}",
        "source": source,
        "type": TYPE,
        "subject": window.series,
        "datacontenttype": "application/json",
    }
    if destination:
        attributes["destination"] = destination
    return WindowEvent(attributes, None, True, [], window)


@lru_cache(_CACHED)
def time_text(time_ns: int) -> str:
    """The time as RFC 3339. Cached because many series share their times. Raises OverflowError beyond the year 9999."""
    return format_time(to_datetime(time_ns))


@lru_cache(_CACHED)
def _step_members(step: Step, day: int | None, start_ns: int) -> bytes:
    # `day` is a key of the cache: steps of one length are equal, whatever their day.
    return orjson.dumps(step.as_json(to_datetime(start_ns)))[1:-1]
