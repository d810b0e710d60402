import numpy as np

from fncast.series.window import MAX_MISSING_SHARE, MISSING
from model_service.training.base.examples import LEAST_HISTORY, draw_examples, draw_gaps, scaled
from model_service.training.base.pool import SeriesPool
from model_service.training.base.shape import SIZES


def test_at_most_half_of_a_history_is_missing() -> None:
    gaps = draw_gaps(np.random.default_rng(0), 500, 64)
    shorter = 0
    for gone in gaps:
        first = int((~gone).argmax())
        shorter += first > 32
        assert gone[first:].sum() <= MAX_MISSING_SHARE * (64 - first) + 1
        assert (~gone).sum() >= LEAST_HISTORY // 2
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
        known = np.abs(np.where(missing, 0, examples.windows))
        assert 0.3 < known.sum() / (~missing).sum() < 3
        assert np.isfinite(examples.targets).all()


def test_the_last_known_reading_is_0() -> None:
    windows = np.array([[1.0, 2.0, 4.0, np.nan], [1.0, 1.0, 1.0, 1.0]])
    examples = scaled(windows, np.array([[4.0, 8.0], [1.0, 2.0]]), np.ones(2))
    assert examples.windows[0, 2] == 0
    assert examples.windows[0, 3] == np.float32(MISSING)
    assert examples.targets[0, 0] == 0
    assert examples.targets[1].tolist() == [0, 1]
