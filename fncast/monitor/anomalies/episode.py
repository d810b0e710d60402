"""Episodes of anomalies: one at a time, opened once and closed with hysteresis."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import Any

# An episode closes after this many readings in a row that are not unusual and whose p-value is at least CALM_P.
CALM_READINGS = 8
CALM_P = 0.05
_CALM_LOG_P = math.log(CALM_P)


@dataclass(slots=True)
class Episode:
    """One episode. start, peak, end: times of readings, in the caller's unit.

    kind: "outlier", "stuck" or "silent". value, expected, low, high, score: of the most unusual reading.
    """

    kind: str
    start: float
    peak: float
    end: float
    value: float
    expected: float
    low: float
    high: float
    score: float
    readings: int = 1
    is_open: bool = True


class EpisodeWatch:
    """Opens and closes the episodes of one series. episode: the open one, None if there is none."""

    __slots__ = ("_calm", "episode")

    def __init__(self) -> None:
        self.episode: Episode | None = None
        self._calm = 0

    @property
    def age(self) -> int:
        """The readings of the open episode so far; 0 if none is open."""
        return self.episode.readings if self.episode else 0

    def update(
        self, candidate: Episode, log_p: float, is_unusual: bool, is_over: bool = False
    ) -> Episode | None:
        """Take the next reading. Returns the episode that it opens or closes.

        candidate: an episode of this reading alone. log_p: natural logarithm of the reading's p-value. is_unusual:
        whether the reading may open an episode. is_over: whether the reading closes the open episode at once.
        """
        episode = self.episode
        if episode is None:
            if not is_unusual:
                return None
            self.episode, self._calm = candidate, 0
            return candidate
        if is_over:
            return self._close(episode)
        episode.readings += 1
        if is_unusual or log_p < _CALM_LOG_P:
            self._calm = 0
            episode.end = candidate.end
        else:
            self._calm += 1
        if candidate.score > episode.score:
            for name in ("peak", "value", "expected", "low", "high", "score"):
                setattr(episode, name, getattr(candidate, name))
        if self._calm < CALM_READINGS:
            return None
        return self._close(episode)

    def _close(self, episode: Episode) -> Episode:
        episode.is_open = False
        self.episode = None
        return episode

    def state(self) -> list[Any]:
        """The state as numbers and lists, for `restored`."""
        return [self._calm, list(astuple(self.episode)) if self.episode else None]

    @classmethod
    def restored(cls, state: list[Any]) -> EpisodeWatch:
        """The watch with the state that `state` returned."""
        watch = cls()
        watch._calm, episode = state
        watch.episode = Episode(*episode) if episode else None
        return watch
