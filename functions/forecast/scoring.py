"""Scores the valid windows of a request by one call of the model, and rejects the others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from fncast.series.window import Float64Array
from fncast.series.window_batch import WindowBatch, prepare_batch, prepare_rows
from fncast.series.window_data import EventReadings
from fncast.series.window_sizes import next_window
from limits import cut_at_limits, cut_rows_at_limits
from model import ChangedModel, ForecastModel, Forecasts
from model_service.client import RETRY_AFTER_S, ModelUnavailable
from model_service.protocols.tensor_calls import WindowRows

log = logging.getLogger("fncast.forecast")

NOT_FINITE = "the model returned a number that is not finite for this window"


class RequestWindows(Protocol):
    """The windows of a request."""

    @property
    def lengths(self) -> Sequence[int]:
        """How many readings each window has."""

    def prepare(self, positions: Sequence[int], steps: int, is_sparse: bool) -> WindowBatch:
        """The last `steps` readings of the windows at `positions`, for the model.

        is_sparse: the model accepts missing readings.
        """

    def cut_at_limits(
        self, positions: Sequence[int], windows: Float64Array, values: Float64Array
    ) -> Float64Array:
        """The forecasts, cut at the limits of their series.

        positions: of the scored windows. windows: the model's input. values: (batch, quantiles, horizon).
        """


@dataclass(frozen=True, slots=True)
class JsonWindows:
    """Windows from JSON. are_checked: whether all values are known to be float or None."""

    readings: Sequence[EventReadings]
    are_checked: bool

    @property
    def lengths(self) -> Sequence[int]:
        return [len(reading.values) for reading in self.readings]

    def prepare(self, positions: Sequence[int], steps: int, is_sparse: bool) -> WindowBatch:
        values = [self.readings[position].values for position in positions]
        return prepare_batch(values, steps, are_checked=self.are_checked, is_sparse=is_sparse)

    def cut_at_limits(
        self, positions: Sequence[int], windows: Float64Array, values: Float64Array
    ) -> Float64Array:
        return cut_at_limits(values, windows, [self.readings[position] for position in positions])


@dataclass(frozen=True, slots=True)
class TensorWindows:
    """Windows from a tensor."""

    rows: WindowRows

    @property
    def lengths(self) -> Sequence[int]:
        lengths: list[int] = self.rows.lengths.tolist()
        return lengths

    def prepare(self, positions: Sequence[int], steps: int, is_sparse: bool) -> WindowBatch:
        rows = self.rows.at(positions)
        return prepare_rows(rows.values, rows.lengths, steps, is_sparse=is_sparse)

    def cut_at_limits(
        self, positions: Sequence[int], windows: Float64Array, values: Float64Array
    ) -> Float64Array:
        return cut_rows_at_limits(values, windows, self.rows.at(positions))


@dataclass(frozen=True, slots=True)
class ScoredGroup:
    """Windows that the model scored by one call. All numbers are finite."""

    positions: list[int]
    filled: list[int]
    scored: Forecasts


@dataclass(slots=True)
class ScoringResult:
    """The outcome of each window: each position is in exactly one of the three members."""

    groups: list[ScoredGroup] = field(default_factory=list)
    rejected: dict[int, str] = field(default_factory=dict)
    unavailable: dict[int, ModelUnavailable] = field(default_factory=dict)


class Scorer:
    """Scores batches with one model. Not thread-safe."""

    def __init__(self, model: ForecastModel) -> None:
        self._model = model

    def score(self, batch: RequestWindows) -> ScoringResult:
        """Score each window. If the model was replaced, its description is read again, once. Raises nothing."""
        lengths = batch.lengths
        if not lengths:
            return ScoringResult()
        try:
            try:
                return self._score(batch, lengths)
            except ChangedModel as change:
                log.info("reading the model's description again: %s", change)
                self._model.forget()
                return self._score(batch, lengths)
        except ChangedModel as change:
            reason = f"the model does not fit its own description: {change}"
            unavailable = ModelUnavailable(reason, RETRY_AFTER_S)
        except ModelUnavailable as error:
            unavailable = error
        return ScoringResult(unavailable=self._unavailable(range(len(lengths)), unavailable))

    def _score(self, batch: RequestWindows, lengths: Sequence[int]) -> ScoringResult:
        """Raises ChangedModel, and ModelUnavailable if there is no description of the model."""
        described = self._model.describe()
        scores = ScoringResult()
        waiting = _by_steps(lengths, described.window, self._model.steps)
        while waiting:
            steps = min(waiting)
            positions = waiting.pop(steps)
            windows = batch.prepare(positions, steps, described.is_sparse)
            larger = next_window(described.sizes, steps)
            for index, error in windows.rejected.items():
                position = positions[index]
                if larger is not None and lengths[position] > steps:  # older readings may be enough
                    waiting[larger] = sorted([*waiting.get(larger, []), position])
                else:
                    scores.rejected[position] = str(error)
            good = [positions[index] for index in windows.good]
            if not good:
                if described.window is not None:
                    self._model.confirm()  # a new version may take shorter windows
                continue
            try:
                scored = self._model.forecast(windows.values)
            except ModelUnavailable as error:
                scores.unavailable |= self._unavailable(good, error)
            else:
                scored = replace(scored, values=batch.cut_at_limits(good, windows.values, scored.values))
                scores.groups.append(_finite(ScoredGroup(good, windows.filled, scored), scores.rejected))
        return scores

    def _unavailable(self, positions: Sequence[int], error: ModelUnavailable) -> dict[int, ModelUnavailable]:
        self._model.forget()  # after a restart the service may have another model
        log.warning("%d events not scored: %s", len(positions), error)
        return dict.fromkeys(positions, error)


def _finite(group: ScoredGroup, rejected: dict[int, str]) -> ScoredGroup:
    """The group without the forecasts that are not finite. These are added to `rejected`, with the reason."""
    scored = group.scored
    is_finite = np.isfinite(scored.values).all(axis=(1, 2))
    if is_finite.all():
        return group
    rejected |= {group.positions[row]: NOT_FINITE for row in np.flatnonzero(~is_finite)}
    kept = np.flatnonzero(is_finite)
    return ScoredGroup(
        [group.positions[row] for row in kept],
        [group.filled[row] for row in kept],
        replace(scored, values=scored.values[kept], moves=scored.moves[kept]),
    )


def _by_steps(
    lengths: Sequence[int], window: int | None, steps: Callable[[int], int]
) -> dict[int, list[int]]:
    """The positions of windows, grouped by how many readings the model gets of each.

    window: how many readings the model takes, None if that depends on the event. steps: returns how many readings the
    model gets of an event with a given number of readings.
    """
    if window is not None:
        return {window: list(range(len(lengths)))}
    groups: dict[int, list[int]] = {}
    for position, length in enumerate(lengths):
        groups.setdefault(steps(length), []).append(position)
    return groups
