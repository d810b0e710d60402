"""The scores of the models of one series, and the forecasts that wait for readings."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Any

from fncast.dashboard.events.forecast import ShownForecast
from fncast.dashboard.series.reading_buffer import ReadingBuffer
from fncast.dashboard.series.score import ForecastScore

# Models to score separately per series: two versions during a roll-out, or two routes.
MAX_MODELS = 4
# Forecasts that wait for readings. With one forecast per reading, there are as many as the horizon has steps.
MAX_PENDING = 512


class ModelScores:
    """Scores each model separately. Beyond MAX_MODELS, the model whose last forecast is the oldest is dropped."""

    def __init__(self) -> None:
        self._scores: OrderedDict[str, ForecastScore] = OrderedDict()  # by model, the latest one last
        self._pending: deque[ShownForecast] = deque(maxlen=MAX_PENDING)

    def add(self, forecast: ShownForecast) -> None:
        """Add a forecast. Call `update` to compare it with readings that are already known."""
        self._scores.setdefault(forecast.model, ForecastScore())
        self._scores.move_to_end(forecast.model)
        if len(self._scores) > MAX_MODELS:
            self._scores.popitem(last=False)
        self._pending.append(forecast)

    def update(self, readings: ReadingBuffer) -> None:
        """Compare the forecast steps that have readings now."""
        for forecast in self._pending:
            score = self._scores.get(forecast.model)
            if score is not None and forecast.start + forecast.scored <= readings.newest:
                score.add(forecast, readings)
        for score in self._scores.values():
            score.forget_before(readings.newest)
        while self._pending and self._pending[0].scored >= len(self._pending[0].values):
            self._pending.popleft()

    def as_json(self, model: str) -> dict[str, Any] | None:
        """The score of a model, see `ForecastScore.as_json`; None if there is none."""
        score = self._scores.get(model)
        return None if score is None else score.as_json()
