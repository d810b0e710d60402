"""The built-in `rekey`: sends the readings of a topic through another topic, keyed by series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from interceptor.contract import Interceptor
from interceptor.delivery import Batch, Delivery
from interceptor.outcome import DeadLetter, Forecast, OutputEvent, Skipped
from interceptor.readings.by_series import encode
from interceptor.readings.contract import Format, UndecodableRecord
from interceptor.readings.reading_event import TYPE as READING


@dataclass(frozen=True)
class RekeyedInput:
    """format: of the input topic. target: the topic that is keyed by series. is_event: its records are CloudEvents."""

    format: Format
    target: str
    is_event: bool = False


class Rekey(Interceptor):
    """Settles each record of its topics with its readings as records of the target topic. Other records pass."""

    def __init__(self, inputs: Mapping[str, RekeyedInput]) -> None:
        self._inputs = dict(inputs)

    async def on_consume(self, batch: Batch) -> Batch:
        for delivery in batch.deliveries:
            input_ = self._inputs.get(delivery.record.topic)
            if input_ is not None and delivery.outcome is None:
                self._rekey(delivery, input_)
        return batch

    def _rekey(self, delivery: Delivery, input_: RekeyedInput) -> None:
        record = delivery.record
        if input_.is_event and delivery.opened.attributes["type"] != READING:
            return
        if record.value is None:
            delivery.outcome = Skipped("the record has no value")
            return
        try:
            decoded = input_.format.decode(record.value, record.key, record.headers, record.timestamp_ms)
        except UndecodableRecord as error:
            delivery.outcome = DeadLetter(str(error), kind="undecodable")
            return
        events = [OutputEvent([], value, input_.target, key) for key, value in encode(decoded, input_.format)]
        delivery.outcome = Forecast(events) if events else Skipped("no reading of the record can be used")
