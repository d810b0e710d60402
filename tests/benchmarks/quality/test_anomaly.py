"""The benchmark of anomalies: what counts as found and as false."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="the benchmark needs the extra `training`")

from benchmarks.quality.anomaly import evaluate, openings
from benchmarks.quality.labelled_series import (
    MONTH,
    QUIET,
    RECOVERY,
    Incident,
    LabelledSeries,
    labelled_series,
)


def test_incidents_are_found_once_and_other_openings_are_false() -> None:
    values = np.zeros(QUIET + MONTH)
    spike = Incident("spike", 3_000, 3_002, 3_004)
    series = LabelledSeries("a", values, values, (spike,))
    result = evaluate([series], [[2_000, 3_001, 3_002 + RECOVERY - 1, 5_000]])
    assert (result.recall, result.delay, result.false) == (1.0, 1.0, 2.0)
    assert evaluate([series], [[2_999, 3_004]]).recall == 0


def test_scores_above_a_threshold_open_once() -> None:
    scores = np.zeros(1_000)
    scores[[100, 600, 603, 620]] = 1.0
    assert openings(scores, 0.5) == [600, 620]


def test_series_are_repeatable_and_have_incidents_after_their_history() -> None:
    first, second = labelled_series(8, seed=5), labelled_series(8, seed=5)
    assert all(np.array_equal(a.values, b.values) for a, b in zip(first, second, strict=True))
    incidents = [incident for labelled in first for incident in labelled.incidents]
    assert len(incidents) > 20
    assert all(incident.begin >= QUIET and incident.begin < incident.until for incident in incidents)
