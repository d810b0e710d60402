"""When the accuracy of a model version for a series is published."""

from __future__ import annotations

from dataclasses import dataclass

from fncast.monitor.accuracy.accuracy import Accuracy

# Accuracy is published early once skill or coverage of the last day differ by more than this from those published
# last, with at least MIN_OUTCOMES new outcomes. The first publication also comes early after MIN_OUTCOMES.
CHANGE = 0.1
MIN_OUTCOMES = 100


@dataclass(slots=True)
class Publication:
    """What was published last. time_s: of the newest reading then; of the first reading if nothing was published.

    outcomes: how many were in it. skill, coverage: of the last day; None if unknown.
    """

    time_s: float
    outcomes: int = 0
    skill: float | None = None
    coverage: float | None = None

    def is_due(self, accuracy: Accuracy, every_s: float) -> bool:
        """Whether to publish. every_s: the longest time between two publications, by the times of readings."""
        if not accuracy.outcomes or accuracy.newest_s <= self.time_s:
            return False
        return accuracy.newest_s >= self.time_s + every_s or self._has_changed(accuracy)

    def publish(self, accuracy: Accuracy) -> None:
        """Note that `accuracy` is published."""
        day = accuracy.day_figures()
        self.time_s, self.outcomes = accuracy.newest_s, accuracy.outcomes
        self.skill, self.coverage = day["skill"], day["coverage"]

    def _has_changed(self, accuracy: Accuracy) -> bool:
        if accuracy.outcomes < self.outcomes + MIN_OUTCOMES:
            return False
        if not self.outcomes:
            return True
        day = accuracy.day_figures()
        pairs = ((self.skill, day["skill"]), (self.coverage, day["coverage"]))
        return any(
            before is not None and now is not None and abs(now - before) > CHANGE for before, now in pairs
        )
