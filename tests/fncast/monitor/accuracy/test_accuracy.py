"""The accuracy of one model version: sums over outcomes."""

from __future__ import annotations

import itertools

import msgspec
import numpy as np
import pytest

from fncast.monitor.accuracy.accuracy import HALF_LIFE_S, Accuracy, Outcomes
from tests.fncast.monitor.offline_accuracy import offline_figures

READINGS, HORIZON, STEP_S = 60, 3, 600.0


def story(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Values (readings,), and for each start the rows of its forecast (readings, horizon, 3)."""
    rng = np.random.default_rng(seed)
    values = 50 + rng.normal(size=READINGS)
    return values, np.sort(50 + rng.normal(size=(READINGS, HORIZON, 3)), axis=2)


def outcomes(values: np.ndarray, rows: np.ndarray, first: int, end: int) -> Outcomes:
    """What the forecasts that begin at each reading from the second on predicted for the readings of a range."""
    at = np.arange(first, end)
    lead = np.arange(HORIZON)
    start = at[:, np.newaxis] - lead
    is_comparable = start >= 1
    known = np.where(is_comparable, start, 1)
    quantiles = np.moveaxis(rows[known, lead], 2, 0)
    return Outcomes(is_comparable, at * STEP_S, values[at], values[known - 1], quantiles)


def accuracy_of(*found: Outcomes) -> Accuracy:
    accuracy = Accuracy()
    for each in found:
        accuracy.add(each)
    return accuracy


def test_the_figures_equal_an_offline_recomputation_in_any_portions() -> None:
    values, rows = story()
    forecasts = [(start, rows[start].tolist()) for start in range(1, READINGS)]
    expected = offline_figures(dict(enumerate(values.tolist())), forecasts)
    for cuts in ([0, READINGS], [0, 7, 8, 41, READINGS]):
        parts = [outcomes(values, rows, first, end) for first, end in itertools.pairwise(cuts)]
        accuracy = accuracy_of(*parts)
        found = {"readings": accuracy.outcomes, **accuracy.total_figures()}
        assert found == pytest.approx(expected, abs=1e-9)


def test_each_lead_has_its_figures() -> None:
    values, rows = story()
    forecasts = [(start, rows[start].tolist()) for start in range(1, READINGS)]
    leads = accuracy_of(outcomes(values, rows, 0, READINGS)).lead_figures()
    assert list(leads) == list(range(1, HORIZON + 1))
    first = [values[start] - rows[0][1] for start, rows in forecasts]
    assert leads[1]["mae"] == pytest.approx(np.abs(first).mean())


def outcome(time_s: float, median: float, seasonal: float | None = None) -> Outcomes:
    """Of the reading 5 after 0, with a band of 1 to both sides."""
    quantiles = np.array([median - 1, median, median + 1]).reshape(3, 1, 1)
    known = None if seasonal is None else np.full((1, 1), seasonal)
    return Outcomes(
        np.ones((1, 1), bool), np.array([time_s]), np.array([5.0]), np.zeros((1, 1)), quantiles, known
    )


def test_an_outcome_counts_half_after_a_day() -> None:
    accuracy = accuracy_of(outcome(0.0, 5.0), outcome(HALF_LIFE_S, 8.0))
    assert accuracy.total_figures()["mae"] == pytest.approx(1.5)
    assert accuracy.day_figures()["mae"] == pytest.approx(3.0 / 1.5)
    late = accuracy_of(outcome(HALF_LIFE_S, 8.0), outcome(0.0, 5.0))
    assert late.day_figures() == pytest.approx(accuracy.day_figures())


def test_without_outcomes_no_figure_is_known() -> None:
    accuracy = Accuracy()
    assert set(accuracy.total_figures().values()) == {None}
    assert (accuracy.lead_figures(), accuracy.seasonal_skill(), accuracy.is_worse_than_last) == (
        {},
        None,
        False,
    )


def test_skill_over_the_seasonal_naive_counts_only_where_it_is_known() -> None:
    accuracy = accuracy_of(outcome(0.0, 4.0, seasonal=9.0), outcome(60.0, 2.0, seasonal=np.nan))
    assert accuracy.seasonal_skill() == pytest.approx(1 - 1 / 4)
    assert accuracy.outcomes == 2


def test_a_copy_and_a_restored_accuracy_are_the_same_and_independent() -> None:
    values, rows = story(1)
    first, second = outcomes(values, rows, 0, 30), outcomes(values, rows, 30, READINGS)
    whole, half = accuracy_of(first, second), accuracy_of(first)
    before, copied = half.total_figures(), half.copy()
    restored = Accuracy.restored(msgspec.msgpack.decode(msgspec.msgpack.encode(half.state())))
    for each in (copied, restored):
        each.add(second)
        assert each.total_figures() == whole.total_figures()
        assert each.day_figures() == whole.day_figures()
    assert half.total_figures() == before
