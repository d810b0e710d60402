import numpy as np
import pytest

from fncast.series.window import MIN_HISTORY, MISSING
from model_service.training.base.examples import draw_gaps
from model_service.training.base.shape import SHORT
from model_service.training.base.user_examples import UserExamples
from model_service.training.dataset import TooLittleData

HORIZON = 6


def examples(*parts: list[float], window: int = 24) -> UserExamples:
    return UserExamples([np.array(part, dtype=np.float64) for part in parts], SHORT, window, HORIZON)


def test_short_histories_and_gaps_are_used() -> None:
    rising = [float(value) for value in range(20)]
    found = examples(rising, [1.0] * 5)
    assert len(found) == 20 - MIN_HISTORY - HORIZON + 1
    assert found.unused == [1]
    gappy = [*rising[:9], float("nan"), *rising[10:]]
    assert examples(gappy).with_gaps == 5
    with pytest.raises(TooLittleData, match="no 8 readings with 6 to forecast"):
        examples([1.0] * 13)


def test_windows_with_too_many_gaps_or_too_large_readings_are_left_out() -> None:
    outage = [1.0, 2.0, 3.0, 4.0, *[float("nan")] * 20, 5.0, 6.0, 7.0, 8.0, *[9.0, 8.0] * 3]
    with pytest.raises(TooLittleData):
        examples(outage)
    with pytest.raises(TooLittleData):
        examples([1e19, *[1.0] * 14])


def test_drawn_windows_keep_a_history_and_their_targets() -> None:
    rng = np.random.default_rng(0)
    found = examples([float(value % 7) for value in range(200)])
    drawn = found.draw(rng, 300, draw_gaps(rng, 50, SHORT.window))
    assert drawn.windows.shape == (300, SHORT.window)
    assert drawn.targets.shape == (300, HORIZON)
    known = (drawn.windows != np.float32(MISSING)).sum(axis=1)
    assert known.min() >= MIN_HISTORY
    assert (known <= 24).mean() > 0.4
    assert (known > 24).mean() > 0.3
    assert np.isfinite(drawn.targets).all()
