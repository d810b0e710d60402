"""The built-in `rekey`: sends the readings of a topic through another topic, keyed by series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from interceptor.assembly import metrics
from interceptor.contract import Interceptor
from interceptor.delivery import Batch, Delivery, Tick
from interceptor.outcome import DeadLetter, Forecast, Outcome, OutputEvent, Skipped
from interceptor.readings.by_series import encode
from interceptor.readings.contract import Format, UndecodableRecord
from interceptor.readings.decoding import KIND, NO_VALUE, decode, failed, unreadable
from interceptor.readings.reading_event import TYPE as READING


@dataclass(frozen=True)
class RekeyedInput:
    """How the readings of one topic are sent to another one.

    format: of the input topic. target: the topic that is keyed by series. is_event: whether the records of the input
    topic are CloudEvents.
    """

    format: Format
    target: str
    is_event: bool = False


class Rekey(Interceptor):
    """Settles each record of its topics with its readings as records of the target topic. Other records and ticks pass.

    Readings that are left out are counted.
    """

    def __init__(self, inputs: Mapping[str, RekeyedInput]) -> None:
        self._inputs = dict(inputs)

    async def on_consume(self, batch: Batch) -> Batch:
        for delivery in batch.deliveries:
            input_ = self._inputs.get(delivery.record.topic)
            if input_ is None or delivery.outcome is not None or type(delivery.record) is Tick:
                continue
            if not _is_other_event(delivery, input_):
                delivery.outcome = _rekey(delivery, input_)
        return batch


def _is_other_event(delivery: Delivery, input_: RekeyedInput) -> bool:
    return input_.is_event and delivery.opened.attributes["type"] != READING


def _rekey(delivery: Delivery, input_: RekeyedInput) -> Outcome:
    record = delivery.record
    if record.value is None:
        return NO_VALUE
    decoded = decode(input_.format, record)
    if isinstance(decoded, DeadLetter):
        return decoded
    try:
        records = encode(decoded, input_.format)
    except UndecodableRecord as error:
        return DeadLetter(str(error), kind=KIND)
    except Exception as error:  # a user's format
        return failed(error)
    for reason, count in decoded.skipped.items():
        metrics.READINGS.labels(record.topic, reason.value).inc(count)
    if records:
        delivery.first_reading_ns = min(decoded.times_ns)
        return Forecast([OutputEvent([], value, input_.target, key) for key, value in records])
    return unreadable(decoded) or Skipped("no reading of the record can be used")
