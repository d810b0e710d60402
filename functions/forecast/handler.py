"""Scores the events of a request: valid ones by one call of the model, the others are rejected."""

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
    """The function's response: a batch for a batch, else one structured event."""

    content_type: str
    body: bytes


class Forecaster:
    """The function without Fn. Not thread-safe: the FDK makes one call at a time."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def answer(self, headers: Mapping[str, str | list[str]], body: bytes) -> Answer:
        """One output for each input event, in their order. headers: names in lower case.

        No request makes it raise an error.
        """
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
        """An output for each event. If the model was replaced, its description is read again, once.

        are_checked: whether all values are known to be float or None.
        """
        if not events:
            return []
        try:
            try:
                return self._forecast(events, readings, are_checked)
            except ChangedModel as change:
                log.info("reading the model's description again: %s", change)
                self._model.forget()
                return self._forecast(events, readings, are_checked)
        except ChangedModel as change:
            return self._unavailable(events, f"the model does not fit its own description: {change}")
        except ModelUnavailable as error:
            return self._unavailable(events, str(error), error.retry_after_s)

    def _forecast(
        self, events: Sequence[Event], readings: Sequence[Readings], are_checked: bool
    ) -> list[bytes]:
        """Raises ChangedModel, and ModelUnavailable if there is no description of the model."""
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
                    self._model.confirm()  # a new model may take shorter windows
                continue
            try:
                scored = self._model.forecast(windows.values)
            except ModelUnavailable as error:
                scored_events = self._unavailable(good_events, str(error), error.retry_after_s)
            else:
                good_readings = [readings[position] for position in good]
                scored = replace(scored, values=limited(scored.values, windows.values, good_readings))
                scored_events = outputs.forecasts(good_events, good_readings, windows.filled, scored)
            for position, output in zip(good, scored_events, strict=True):
                answers[position] = output
        return [output for output in answers if output is not None]

    def _unavailable(
        self, events: Sequence[Event], reason: str, retry_after_s: float = RETRY_AFTER_S
    ) -> list[bytes]:
        self._model.forget()  # the service may come back with another model
        log.warning("%d events not scored: %s", len(events), reason)
        return [outputs.unavailable(event, reason, retry_after_s) for event in events]


def _by_steps(readings: Sequence[Readings], window: int | None) -> dict[int, list[int]]:
    """Positions, grouped by how many readings the model gets of them.

    window: how many readings the model takes, or None if it takes any number; then each event counts with all of its.
    """
    if window is not None:
        return {window: list(range(len(readings)))}
    groups: dict[int, list[int]] = {}
    for position, reading in enumerate(readings):
        groups.setdefault(max(len(reading.values), 1), []).append(position)
    return groups
