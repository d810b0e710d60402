"""The answer to a tensor call: how each delivery of the call ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fncast.media_type import is_tensor
from fncast.series.forecast_data import forecast_attributes, forecast_data
from fncast.series.window_data import EventReadings
from interceptor.cloudevents.answers import NONE_TYPE, UNAVAILABLE_TYPE, Output, data_object, invalid_answer
from interceptor.cloudevents.attributes import quoted
from interceptor.cloudevents.output_event import SharedOutput, output_headers
from interceptor.delivery import Delivery
from interceptor.errors import RetriableError
from interceptor.outcome import Forecast, Outcome, OutputEvent
from interceptor.routes.client import EventsAnswer
from interceptor.routes.outcomes import NO_EVENT, reason_in, rejected, unavailable
from interceptor.routes.route import Route, without_secrets
from interceptor.routes.window_event import readings_of
from model_service.protocols.tensor_calls import CONTENT_TYPE, ForecastRows
from model_service.protocols.tensor_events import ACCEPT, encode_forecast

Floats = NDArray[np.floating[Any]]

FORECAST_TYPE = "io.fncast.forecast.v1"


@dataclass(frozen=True)
class SingleAnswer:
    """An answer with one event for all windows of a call: the function is unavailable, or has nothing to publish."""

    route: Route
    answer: EventsAnswer

    def results(self, deliveries: Sequence[Delivery]) -> list[Outcome | RetriableError]:
        """See Answer. Raises RetriableError for any other answer."""
        if self.answer.body is None:
            return self.answer.results(deliveries)
        outputs = self.answer.outputs()
        type_ = outputs[0].type if len(outputs) == 1 else ""
        if type_ == NONE_TYPE:
            return [NO_EVENT] * len(deliveries)
        data = data_object(outputs[0]) if type_ else {}
        reason = reason_in(data)
        if type_ == UNAVAILABLE_TYPE:
            raise unavailable(reason, data.get("retry_after_s"), deliveries[0])
        raise invalid_answer(
            f"{without_secrets(self.route.target)} answers a tensor call with events, such as {quoted(type_)}:"
            f' {reason}; set encoding = "json" in [routes.{self.route.name}] if it takes no tensors'
        )


@dataclass(frozen=True)
class TensorAnswer:
    """The answer to a tensor call. levels: of the forecasts' quantiles. output: what all forecasts have in common."""

    rows: ForecastRows
    levels: tuple[float, ...]
    output: Output

    def results(self, deliveries: Sequence[Delivery]) -> list[Outcome | RetriableError]:
        """See Answer."""
        rows = self.rows
        values = np.ascontiguousarray(rows.values.transpose(0, 2, 1))
        if values.itemsize < np.dtype(np.float32).itemsize:
            values = values.astype(np.float32)
        has_forecast = np.all(np.isfinite(values), axis=(1, 2)) & bool(values.size)
        scored = [row for row, reason in enumerate(rows.reasons) if not reason and has_forecast[row]]
        forecasts = self._forecasts(deliveries, scored, values)
        if len(scored) == len(deliveries):
            return [*forecasts]
        by_row = dict(zip(scored, forecasts, strict=True))
        return [by_row.get(row) or self._settled(row, delivery) for row, delivery in enumerate(deliveries)]

    def _settled(self, row: int, delivery: Delivery) -> Outcome | RetriableError:
        """Return the end of a row without a forecast."""
        reason, waits_s = self.rows.reasons[row], self.rows.retry_after_s
        if not reason:
            return invalid_answer(f"row {row} has neither a finite forecast nor a reason")
        if waits_s is None or np.isnan(waits_s[row]):
            return rejected(reason, delivery)
        return unavailable(reason, float(waits_s[row]), delivery)

    def _forecasts(
        self, deliveries: Sequence[Delivery], scored: Sequence[int], values: Floats
    ) -> list[Forecast]:
        """Return the forecasts of the scored rows. values: (n, quantiles, horizon) of all rows."""
        events = [deliveries[row].opened for row in scored]
        readings = [readings_of(event) for event in events]
        gaps = self._filled(scored, readings)
        values = values if len(scored) == len(values) else values[list(scored)]
        data = forecast_data(values, self.levels, readings, gaps)
        route = deliveries[0].route
        assert route is not None
        shared = SharedOutput(self.output, route.name)
        forecasts = []
        for row, (event, value) in enumerate(zip(events, data, strict=True)):
            if ACCEPT in event.attributes and is_tensor(event.attributes[ACCEPT]):
                output, value = self._tensor(values[row], readings[row], gaps[row])
                headers = output_headers(event, output, route.name, 0)
            else:
                headers = shared.headers(event)
            forecasts.append(Forecast([OutputEvent(headers, value)]))
        return forecasts

    def _tensor(self, values: Floats, reading: EventReadings, filled: int) -> tuple[Output, bytes]:
        """Return attributes and data of a forecast whose data is a tensor. values: (quantiles, horizon)."""
        common = self.output
        output = Output(
            "",
            common.source,
            "1.0",
            FORECAST_TYPE,
            datacontenttype=CONTENT_TYPE,
            modelname=common.modelname,
            modelversion=common.modelversion,
            others=forecast_attributes(self.levels, reading, filled),
        )
        return output, encode_forecast(values)

    def _filled(self, scored: Sequence[int], readings: Sequence[EventReadings]) -> list[int]:
        """Return how many readings were bridged: as the function says, or all that are missing."""
        if self.rows.filled is None:
            return [int(np.isnan(reading.values).sum()) for reading in readings]
        return [self.rows.filled[row] for row in scored]
