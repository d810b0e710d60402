import numpy as np
import pytest

from fncast.series.window import MAX_MISSING_SHARE, MISSING
from model_service.training.base.examples import (
    MAX_SCALED_TARGET,
    MIN_HISTORY,
    STILL,
    draw_examples,
    draw_gaps,
    scaled,
)
from model_service.training.base.pool import SeriesPool
from model_service.training.base.shape import SHORT, SIZES


def test_at_most_half_of_a_history_is_missing() -> None:
    gaps = draw_gaps(np.random.default_rng(0), 500, 64)
    shorter = 0
    for gone in gaps:
        first = int((~gone).argmax())
        shorter += first > 32
        assert gone[first:].sum() <= MAX_MISSING_SHARE * (64 - first) + 1
        assert (~gone).sum() >= MIN_HISTORY // 2
    assert shorter > 20
    assert 0.2 < (gaps.sum(axis=1) == 0).mean() < 0.6


def test_examples_are_scaled_and_coded() -> None:
    rng = np.random.default_rng(0)
    pool = SeriesPool(0, count=20)
    for size in SIZES:
        gaps = draw_gaps(rng, 50, size.window)
        examples = draw_examples(rng, pool.series, 64, size, gaps)
        assert examples.windows.shape == (64, size.window)
        assert examples.targets.shape == (64, size.horizon)
        missing = examples.windows == np.float32(MISSING)
        assert 0.02 < missing.mean() < 0.6
        distances = np.abs(examples.windows[~missing])
        assert 0.3 < np.median(distances) < 3
        assert np.isfinite(examples.targets).all()


def test_the_last_known_reading_is_0() -> None:
    windows = np.array([[1.0, 2.0, 4.0, np.nan], [1.0, 1.0, 1.0, 1.0]])
    examples = scaled(windows, np.array([[4.0, 8.0], [1.0, 2.0]]), np.ones(2))
    assert examples.windows[0, 2] == 0
    assert examples.windows[0, 3] == np.float32(MISSING)
    assert examples.targets[0, 0] == 0
    assert examples.targets[1].tolist() == [0, 1]


def test_a_target_may_return_to_the_readings_before_a_jump() -> None:
    window = np.zeros((1, 64))
    window[0, -1] = 1.0
    examples = scaled(window, np.array([[0.0, 1.0, 100.0]]), np.ones(1))
    constant, jump = examples.windows[0, 0], examples.windows[0, -1]
    assert examples.targets[0, :2].tolist() == [constant, jump]
    assert examples.targets[0, 2] == jump + MAX_SCALED_TARGET


def test_some_windows_are_constant_until_their_last_reading() -> None:
    rng = np.random.default_rng(0)
    pool = rng.normal(size=(20, 800)).cumsum(axis=1)
    examples = draw_examples(rng, pool, 4_000, SHORT, None)
    before, jump = examples.windows[:, 0], examples.windows[:, -1]
    constant = np.ptp(examples.windows[:, :-1], axis=1) == 0
    assert constant.mean() == pytest.approx(STILL / 2, abs=0.005)
    returns = examples.targets[constant] == before[constant][:, np.newaxis]
    stays = examples.targets[constant] == jump[constant][:, np.newaxis]
    assert returns[:, 0].any()
    assert stays[:, 0].any()
    assert returns[:, -1].sum() > returns[:, 0].sum()
