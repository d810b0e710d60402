"""Accuracy is published regularly, and when it has changed."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from fncast.monitor.accuracy.accuracy import Accuracy, Outcomes
from fncast.monitor.accuracy.publication import CHANGE, MIN_OUTCOMES, Publication

MINUTE_S, WEEK_S = 60.0, 7 * 86_400.0
READINGS = 4_000


def outcome(time_s: float, median: float, band: float) -> Outcomes:
    """Of the reading 5, after 0, with the first lead."""
    quantiles = np.array([median - band, median, median + band]).reshape(3, 1, 1)
    return Outcomes(np.ones((1, 1), bool), np.array([time_s]), np.array([5.0]), np.zeros((1, 1)), quantiles)


def published(error: Callable[[int], float], band: Callable[[int], float], every_s: float) -> list[int]:
    """The readings at which accuracy is published: one a minute, 5 above the last, with an error and a half band."""
    accuracy, publication, found = Accuracy(), Publication(0.0), []
    for at in range(READINGS):
        median = 5.0 + error(at)
        accuracy.add(outcome(at * MINUTE_S, median, band(at)))
        if publication.is_due(accuracy, every_s):
            publication.publish(accuracy)
            found.append(at)
    return found


def test_steady_accuracy_is_published_regularly() -> None:
    assert published(lambda at: 1.0, lambda at: 2.0, 3600.0) == list(range(60, READINGS, 60))


def test_the_first_accuracy_is_published_early() -> None:
    assert published(lambda at: 1.0, lambda at: 2.0, WEEK_S) == [MIN_OUTCOMES - 1]


@pytest.mark.parametrize("what", ["skill", "coverage"])
def test_accuracy_that_changes_is_published_at_once(what: str) -> None:
    def error(at: int) -> float:
        return 5.0 if what == "skill" and at >= 3_000 else 1.0

    def band(at: int) -> float:
        return 0.5 if what == "coverage" and at >= 3_000 else 6.0

    early = published(error, band, 2_000 * MINUTE_S)
    assert early[:2] == [MIN_OUTCOMES - 1, MIN_OUTCOMES - 1 + 2_000]
    assert 3_000 < early[2] < 3_000 + 1_440
    assert len(early) > 3
    assert all(later - sooner >= MIN_OUTCOMES for sooner, later in itertools.pairwise(early))


def test_a_publication_needs_new_readings() -> None:
    accuracy = Accuracy()
    publication = Publication(0.0, 0, skill=0.0, coverage=0.0)
    good = outcome(MINUTE_S, 5.0, 1.0)  # skill and coverage are 1
    for _ in range(MIN_OUTCOMES - 1):
        accuracy.add(good)
    assert not publication.is_due(accuracy, WEEK_S)
    accuracy.add(good)
    assert publication.is_due(accuracy, WEEK_S)
    publication.publish(accuracy)
    publication.skill = 1.0 - 2 * CHANGE
    for _ in range(2 * MIN_OUTCOMES):
        accuracy.add(good)
    assert not publication.is_due(accuracy, WEEK_S)  # no reading is newer
