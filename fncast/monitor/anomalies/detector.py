"""Scores how unusual each reading of one series is, given the forecasts that came before it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from operator import add
from typing import Any, NamedTuple

from fncast.monitor.anomalies.episode import Episode, EpisodeWatch
from fncast.monitor.anomalies.figures import DetectorFigures, Expectation
from fncast.monitor.anomalies.history import ErrorHistories, bin_position
from fncast.monitor.anomalies.stillness import Stillness

DEFAULT_ALPHA = 0.001
DEFAULT_MIN_HISTORY = 500
# The smallest of several p-values is small more often than a single one. The figures depend on each other, so their
# number would overstate this. Chosen so that with the default alpha a series opens at most one false episode in a month
# of 5-minute readings.
COMPARISONS = 3.0
# The log of the factor for the p-value of each figure in DetectorFigures.NAMES. The error alone opens the most false
# episodes, the move of the level the fewest.
FACTORS = tuple(math.log(factor) for factor in (2.0, 1.0, 1.0, 1.0, 0.3, 0.5))
# Positions of the figures that add up over readings. An episode that one of them opens shows the first forecast of the
# reading: the last forecast has already followed the unusual readings.
SLOW_FIGURES = (1, 3, 4, 5)
# A value is a new extreme if it is beyond all before it by this share of their range.
BEYOND_RANGE = 0.2
# The log p-value of a new extreme that is outside the band is multiplied by this.
EXTREME_WEIGHT = 1.3
# The log p-value of the shortest run that counts as stuck.
STUCK_LOG_P = math.log(0.001)
# The score of a p-value of 10 ** -DECADES or less is 1.
DECADES = 6.0
# In an episode, readings count less in the histories, so that the next incident is found, too. After NORMAL_AFTER
# readings, the episode becomes normal: further readings count fully.
LEARNED_IN_EPISODE = 0.25
NORMAL_AFTER = 100

_LOG_COMPARISONS = math.log(COMPARISONS)
_LARGEST_LOG_P = DECADES * math.log(10)


@dataclass(frozen=True)
class DetectorSettings:
    """When a reading is unusual.

    alpha: the share of the readings of a normal series that may be in episodes. min_history: readings before the first
    episode.
    """

    alpha: float = DEFAULT_ALPHA
    min_history: int = DEFAULT_MIN_HISTORY


class Judgement(NamedTuple):
    """How unusual a reading is.

    score: 0 (usual) to 1 (a p-value of one in a million); 0.5 is one in a thousand. is_anomaly: whether an episode is
    open. changed: the episode that this reading opened or closed.
    """

    score: float
    is_anomaly: bool
    changed: Episode | None = None


class Judged(NamedTuple):
    """A reading with its judgement. time_s: seconds since 1970."""

    time_s: float
    value: float
    judgement: Judgement


class Detector:
    """The detector of one series. Call `judge` for each reading, in the order of time."""

    __slots__ = ("_episodes", "_figures", "_highest", "_histories", "_lowest", "_readings", "_stillness")

    def __init__(self) -> None:
        self._figures = DetectorFigures()
        self._histories = ErrorHistories(len(DetectorFigures.NAMES))
        self._stillness = Stillness()
        self._episodes = EpisodeWatch()
        self._readings = 0
        self._lowest, self._highest = math.inf, -math.inf

    @property
    def episode(self) -> Episode | None:
        """The open episode."""
        return self._episodes.episode

    def judge(
        self,
        at: float,
        value: float,
        near: Expectation | None,
        far: Expectation | None,
        settings: DetectorSettings,
    ) -> Judgement:
        """Judge a reading by the forecasts that came before it.

        at: time of the reading, in any unit. near: from the last forecast before the reading. far: from the first
        forecast that includes the reading. Both are None without a forecast, as after a gap: the reading then has the
        score 0 and changes no episode.
        """
        stuck = self._stillness.update(value, self._episodes.episode is not None)
        if near is None or far is None:
            self._extend_range(value)
            return Judgement(0.0, self._episodes.episode is not None)
        figures = self._figures.update(value, near, far)
        positions = list(map(bin_position, figures))
        log_ps = list(map(add, self._histories.log_ps(positions), FACTORS))
        log_p = min(log_ps)
        shown = far if log_ps.index(log_p) in SLOW_FIGURES else near
        log_p = min(0.0, log_p + _LOG_COMPARISONS)
        if figures[0] > 1.0 and self._is_extreme(value):
            log_p *= EXTREME_WEIGHT
        kind = "outlier"
        if stuck > 1.0 and STUCK_LOG_P * stuck < log_p:
            log_p, kind = STUCK_LOG_P * stuck, "stuck"
        self._readings += 1
        is_ready = self._readings > settings.min_history
        score = min(1.0, -log_p / _LARGEST_LOG_P) if is_ready else 0.0
        is_unusual = is_ready and log_p <= math.log(settings.alpha)
        changed, weight = None, 1.0
        if is_unusual or self._episodes.episode is not None:
            candidate = Episode(kind, at, at, at, value, shown.expected, shown.low, shown.high, score)
            # The value was stuck for so long that this became normal, and now it changes: the stuck episode is over.
            is_over = self._stillness.has_ended and self._episodes.age > NORMAL_AFTER
            changed = self._episodes.update(candidate, log_p, is_unusual, is_over)
            if 0 < self._episodes.age <= NORMAL_AFTER:
                weight = LEARNED_IN_EPISODE
        self._histories.add(positions, weight)
        self._extend_range(value)
        return Judgement(score, self._episodes.episode is not None, changed)

    def state(self) -> list[Any]:
        """The state as numbers and lists, for `restored`."""
        return [
            self._figures.state(),
            self._histories.state(),
            self._stillness.state(),
            self._episodes.state(),
            self._readings,
            self._lowest,
            self._highest,
        ]

    @classmethod
    def restored(cls, state: list[Any]) -> Detector:
        """The detector with the state that `state` returned."""
        detector = cls()
        figures, histories, stillness, episodes, readings, lowest, highest = state
        detector._figures = DetectorFigures.restored(figures)
        detector._histories = ErrorHistories.restored(histories)
        detector._stillness = Stillness.restored(stillness)
        detector._episodes = EpisodeWatch.restored(episodes)
        detector._readings, detector._lowest, detector._highest = readings, lowest, highest
        return detector

    def _is_extreme(self, value: float) -> bool:
        margin = BEYOND_RANGE * (self._highest - self._lowest)
        return not self._lowest - margin <= value <= self._highest + margin

    def _extend_range(self, value: float) -> None:
        if value < self._lowest:
            self._lowest = value
        if value > self._highest:
            self._highest = value
