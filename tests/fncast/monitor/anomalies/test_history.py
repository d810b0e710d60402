"""How unusual a figure is among the earlier figures of its series."""

import itertools
import math

import numpy as np
import pytest

from fncast.monitor.anomalies.history import ErrorHistories, bin_position


def filled(figures: np.ndarray) -> ErrorHistories:
    histories = ErrorHistories(1)
    for figure in figures.tolist():
        histories.add([bin_position(figure)])
    return histories


def log_p(histories: ErrorHistories, figure: float) -> float:
    (found,) = histories.log_ps([bin_position(figure)])
    return found


@pytest.mark.parametrize("heavy", [False, True])
def test_small_p_values_come_as_often_as_they_say(heavy: bool) -> None:
    rng = np.random.default_rng(1)
    draw = (lambda n: np.abs(rng.standard_t(3, n))) if heavy else (lambda n: np.abs(rng.normal(size=n)))
    history = filled(draw(4_000))
    p = np.exp([log_p(history, figure) for figure in draw(20_000)])
    for wanted in (0.1, 0.01, 0.001):
        assert np.mean(p <= wanted) < 2.5 * wanted
    assert np.mean(p <= 0.1) > 0.04
    assert np.mean(p <= 0.01) > 0.001


def test_a_larger_figure_is_never_more_usual() -> None:
    history = filled(np.abs(np.random.default_rng(2).normal(size=2_000)))
    p = [log_p(history, figure) for figure in np.geomspace(1e-3, 1e3, 500)]
    assert all(later <= earlier + 1e-9 for earlier, later in itertools.pairwise(p))
    assert p[0] == pytest.approx(0, abs=0.02)
    assert p[-1] < math.log(1e-6)


def test_without_figures_nothing_is_unusual() -> None:
    assert log_p(ErrorHistories(1), 1e9) == 0.0


def test_older_figures_fade() -> None:
    history = filled(np.full(1_000, 10.0))
    before = log_p(history, 5.0)
    for _ in range(20_000):
        history.add([bin_position(0.1)])
    assert before > math.log(0.9)
    assert log_p(history, 5.0) < math.log(0.01)


def test_figures_are_compared_with_their_own_history() -> None:
    histories, small, large = ErrorHistories(2), filled(np.full(100, 1.0)), filled(np.full(100, 9.0))
    for _ in range(100):
        histories.add([bin_position(1.0), bin_position(9.0)])
    restored = ErrorHistories.restored(histories.state())
    for figure in (0.3, 1.0, 5.0, 9.0, 30.0):
        both = [log_p(small, figure), log_p(large, figure)]
        assert (
            histories.log_ps([bin_position(figure)] * 2)
            == restored.log_ps([bin_position(figure)] * 2)
            == both
        )


def test_a_restored_history_continues_alike() -> None:
    figures = np.abs(np.random.default_rng(3).normal(size=1_010))
    history = filled(figures)
    restored = ErrorHistories.restored(history.state())
    for figure in (0.3, 2.0, 30.0):
        for _ in range(40):
            assert log_p(restored, figure) == log_p(history, figure)
            restored.add([bin_position(figure)])
            history.add([bin_position(figure)])
