"""Single readings of a topic, as a decoder hands them to the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fncast.dashboard.events.record import ReceivedRecord


@dataclass(frozen=True, slots=True)
class SingleReading:
    """The value of `series` at `time_s`, in seconds since 1970.

    is_counter: the value grows until its process restarts; the page shows its rate per second, as it is forecast.
    """

    series: str
    time_s: float
    value: float
    unit: str = ""
    is_counter: bool = False


class UndecodableReading(ValueError):
    """The record cannot be decoded. The message gives the reason."""


# Returns the readings of a record. Raises UndecodableReading.
Decoder = Callable[[ReceivedRecord], list[SingleReading]]
