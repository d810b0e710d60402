"""Scores the events of a request: bad ones are refused, the good ones forecast by one call of the model."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import outputs
from events import BATCH_TYPE, EVENT_TYPE, Event, InvalidEvent, Readings, read_readings, read_request
from fncast.series.window import prepare_batch
from limits import limited
from model import ChangedModel, Model
from model_service.client import RETRY_AFTER_S, ModelUnavailable

log = logging.getLogger("fncast.forecast")


@dataclass(frozen=True)
class Answer:
    """What the function answers, in kind: a batch to a batch, one structured event to one event."""

    content_type: str
    body: bytes


class Forecaster:
    """The function without Fn around it. Not thread-safe: the FDK calls one at a time."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def answer(self, headers: Mapping[str, str | list[str]], body: bytes) -> Answer:
        """One output for each input event, in their order. Raises nothing that a request can cause.

        headers: names in lower case."""
        request = read_request(headers, body)
        answers: list[bytes | None] = [None] * len(request.events)
        positions: list[int] = []
        readings: list[Readings] = []
        for position, event in enumerate(request.events):
            try:
                readings.append(read_readings(event.data))
            except InvalidEvent as error:
                answers[position] = outputs.rejected(event, str(error))
            else:
                positions.append(position)
        events = [request.events[position] for position in positions]
        scored = self._score(events, readings, request.is_plain)
        for position, output in zip(positions, scored, strict=True):
            answers[position] = output
        events_json = [output for output in answers if output is not None]
        if request.is_batch:
            return Answer(BATCH_TYPE, b"[%b]" % b",".join(events_json))
        return Answer(EVENT_TYPE, events_json[0])

    def _score(self, events: Sequence[Event], readings: Sequence[Readings], are_checked: bool) -> list[bytes]:
        """An output for each event. A model that was swapped meanwhile is described anew, once.

        are_checked: that all values are float or None is known."""
        if not events:
            return []
        try:
            try:
                return self._forecast(events, readings, are_checked)
            except ChangedModel as change:
                log.info("reading the model's description anew: %s", change)
                self._model.forget()
                return self._forecast(events, readings, are_checked)
        except ChangedModel as change:
            return self._unavailable(events, f"the model does not fit its own description: {change}")
        except ModelUnavailable as error:
            return self._unavailable(events, str(error), error.retry_after_s)

    def _forecast(
        self, events: Sequence[Event], readings: Sequence[Readings], are_checked: bool
    ) -> list[bytes]:
        """Raises ChangedModel; ModelUnavailable where not even a description is to be had."""
        window = self._model.describe().window
        answers: list[bytes | None] = [None] * len(events)
        for steps, positions in _by_steps(readings, window).items():
            values = [readings[position].values for position in positions]
            windows = prepare_batch(values, steps, are_checked=are_checked)
            for index, error in windows.rejected.items():
                answers[positions[index]] = outputs.rejected(events[positions[index]], str(error))
            good = [positions[index] for index in windows.good]
            good_events = [events[position] for position in good]
            if not good:
                if window is not None:
                    self._model.confirm()  # else what is too short for a model that is gone is refused for ever
                continue
            try:
                scored = self._model.forecast(windows.values)
            except ModelUnavailable as error:
                made = self._unavailable(good_events, str(error), error.retry_after_s)
            else:
                good_readings = [readings[position] for position in good]
                scored = replace(scored, values=limited(scored.values, windows.values, good_readings))
                made = outputs.forecasts(good_events, good_readings, windows.filled, scored)
            for position, output in zip(good, made, strict=True):
                answers[position] = output
        return [output for output in answers if output is not None]

    def _unavailable(
        self, events: Sequence[Event], reason: str, retry_after_s: float = RETRY_AFTER_S
    ) -> list[bytes]:
        self._model.forget()  # what comes back may be another
        log.warning("%d events not scored: %s", len(events), reason)
        return [outputs.unavailable(event, reason, retry_after_s) for event in events]


def _by_steps(readings: Sequence[Readings], window: int | None) -> dict[int, list[int]]:
    """Positions by the readings that the model shall get: all the model's window, or each its own length where the
    model takes any."""
    if window is not None:
        return {window: list(range(len(readings)))}
    groups: dict[int, list[int]] = {}
    for position, reading in enumerate(readings):
        groups.setdefault(max(len(reading.values), 1), []).append(position)
    return groups
