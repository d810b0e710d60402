"""Answers a request: one output event for each input event, or one tensor for a tensor call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import outputs
import tensors
from events import BATCH_TYPE, EVENT_TYPE, InputEvent, is_tensor_call, read_request
from fncast.series.window_data import EventReadings, InvalidData, read_readings
from model import ForecastModel
from model_service.protocols.graphpipe import InvalidMessage
from model_service.protocols.tensor_calls import CONTENT_TYPE, decode_windows
from scoring import JsonWindows, Scorer, TensorWindows


@dataclass(frozen=True)
class ForecastResponse:
    """The response to a request: a batch for a batch, a tensor for a tensor call, else one event.

    headers: `ce-…` of an event in binary mode.
    """

    content_type: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Forecaster:
    """The function without Fn. Not thread-safe: the FDK makes one call at a time."""

    def __init__(self, model: ForecastModel) -> None:
        self._scorer = Scorer(model)

    def answer(self, headers: Mapping[str, str | list[str]], body: bytes) -> ForecastResponse:
        """One output for each input event, in their order. headers: names in lower case.

        Raises nothing, whatever the request holds.
        """
        if is_tensor_call(headers):
            try:
                rows = decode_windows(body)
            except InvalidMessage:
                pass  # rejected below with the reason, as an event with invalid data
            else:
                scores = self._scorer.score(TensorWindows(rows))
                attributes, message = tensors.forecasts(len(rows.values), scores)
                return ForecastResponse(CONTENT_TYPE, message, attributes)
        request = read_request(headers, body)
        answers: list[bytes] = [b""] * len(request.events)
        positions: list[int] = []
        readings: list[EventReadings] = []
        for position, event in enumerate(request.events):
            try:
                readings.append(read_readings(event.data))
            except InvalidData as error:
                answers[position] = outputs.rejected(event, str(error))
            else:
                positions.append(position)
        events = [request.events[position] for position in positions]
        scored = self._score(events, JsonWindows(readings, request.is_plain))
        for position, output in zip(positions, scored, strict=True):
            answers[position] = output
        if request.is_batch:
            return ForecastResponse(BATCH_TYPE, b"[%b]" % b",".join(answers))
        if request.is_binary and request.events[0].wants_tensor and (binary := outputs.as_binary(answers[0])):
            return ForecastResponse(CONTENT_TYPE, binary[1], binary[0])
        return ForecastResponse(EVENT_TYPE, answers[0])

    def _score(self, events: list[InputEvent], batch: JsonWindows) -> list[bytes]:
        """An output for each event."""
        scores = self._scorer.score(batch)
        answers: list[bytes] = [b""] * len(events)
        for group in scores.groups:
            group_events = [events[position] for position in group.positions]
            group_readings = [batch.readings[position] for position in group.positions]
            written = outputs.forecasts(group_events, group_readings, group.filled, group.scored)
            for position, output in zip(group.positions, written, strict=True):
                answers[position] = output
        for position, reason in scores.rejected.items():
            answers[position] = outputs.rejected(events[position], reason)
        for position, error in scores.unavailable.items():
            answers[position] = outputs.unavailable(events[position], str(error), error.retry_after_s)
        return answers
